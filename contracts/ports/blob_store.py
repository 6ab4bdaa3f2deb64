"""The contract of ``BlobStore``: what was put comes back whole, or not at all."""

from __future__ import annotations

import asyncio
import unittest
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from hashlib import sha256
from typing import Final, TypeAlias

from hypothesis import example, given
from hypothesis import strategies as st

from codetether_core.artifacts import CHUNK, BlobId, KeptBlob
from codetether_core.errors import Invalid, NotFound
from codetether_core.ids import TenantId
from codetether_core.ports import BlobStore
from contracts.ports.blob_bytes import BlobExample, listed, pieces, read, some_bytes
from contracts.ports.blob_streams import STREAMS
from contracts.ports.blob_times import times
from contracts.ports.harness import raises
from contracts.ports.samples import NOW, OTHER_TENANT, TENANT

__all__ = ["OpenBlobs", "blob_store_contract"]

OpenBlobs: TypeAlias = Callable[[], AbstractAsyncContextManager[BlobStore]]
"""Opens a new, empty store each time it is called."""

_PATIENCE: Final = 60
_MINUTE: Final = timedelta(minutes=1)
_NONE: Final = BlobId("0" * 64)
_TENANTS: Final = tuple(
    TenantId(name)
    for name in ("a", "A", "ab", "", ".", "..", "a/b", "a/../b", "/a", "a%2Fb", ".incoming", "é", "\0", "x" * 300)
)
_NOT_IDS: Final = ("", "0", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "../" + "0" * 61, "0" * 64 + "\n", "٠" * 64)


def blob_store_contract(
    open_blobs: OpenBlobs, *, addressed_by_content: bool = True, resolution: timedelta = timedelta()
) -> type[unittest.TestCase]:
    """Putting, reading, listing and deleting, by one and by many at a time.

    A store that encrypts gives equal bytes one address, but not that which their digest is. ``resolution`` is how far
    apart two puts may be that were at one time.
    """

    class BlobStoreContract(unittest.TestCase):
        """Blobs."""

        @given(
            st.lists(
                st.tuples(st.sampled_from(["put", "delete", "list"]), st.integers(0, 3), st.booleans()), max_size=8
            )
        )
        def test_any_history_leaves_what_a_table_would_have(self, history: list[tuple[str, int, bool]]) -> None:
            """Each call answers as a table from tenant and address to bytes does."""
            asyncio.run(_show(open_blobs, lambda blobs: _replay(blobs, history)))

        @given(st.lists(st.binary(max_size=8)), st.integers(1, CHUNK))
        @example([b"", b"x", b""], CHUNK)
        def test_how_bytes_are_cut_does_not_matter(self, cut: list[bytes], times: int) -> None:
            """A stream of any pieces, empty ones too, is the blob of all its bytes."""
            asyncio.run(_show(open_blobs, lambda blobs: _put_in_pieces(blobs, [piece * times for piece in cut])))

    digests = [an_address_is_the_digest_of_the_bytes] if addressed_by_content else []
    for function in (*_EXAMPLES, *times(resolution), *digests):
        setattr(BlobStoreContract, f"test_{function.__name__}", _test(function, open_blobs))
    return BlobStoreContract


async def what_was_put_comes_back(blobs: BlobStore) -> None:
    """From nothing to several chunks."""
    for size in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 3):
        data = some_bytes(size)
        id = await blobs.put(TENANT, data)
        assert await blobs.put(TENANT, data) == id
        assert await blobs.size(TENANT, id) == size
        assert await read(blobs, id) == data


async def an_address_is_the_digest_of_the_bytes(blobs: BlobStore) -> None:
    """SHA-256."""
    for size in (0, 1, 2 * CHUNK + 1):
        data = some_bytes(size)
        assert await blobs.put(TENANT, data) == sha256(data).hexdigest()


async def chunks_are_small_and_never_empty(blobs: BlobStore) -> None:
    """So that memory is bounded, and an empty chunk is nobody's end."""
    id = await blobs.put(TENANT, some_bytes(5 * CHUNK + 3))
    async with blobs.open(TENANT, id) as chunks:
        sizes = [len(chunk) async for chunk in chunks]
    assert sum(sizes) == 5 * CHUNK + 3 and all(0 < size <= CHUNK for size in sizes)


async def a_range_is_the_slice(blobs: BlobStore) -> None:
    """As far as the blob has bytes, and never beyond: as Python slices."""
    data = some_bytes(2 * CHUNK + 7)
    size = len(data)
    id = await blobs.put(TENANT, data)
    empty = await blobs.put(TENANT, b"")
    edges = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, size - 1, size, size + 1, size + CHUNK)
    for start in edges:
        for stop in (*(edge for edge in edges if edge >= start), None):
            assert await read(blobs, id, start, stop) == data[start:stop], (start, stop)
    for start, stop in ((0, 0), (0, 1), (1, None), (5, 9)):
        assert await read(blobs, empty, start, stop) == b""
    for wrong in ((-1, None), (-2, -1), (2, 1), (0, -1)):
        await raises(Invalid, read(blobs, id, *wrong))


async def what_is_not_there_is_not_found(blobs: BlobStore) -> None:
    """Never put, deleted, or another tenant's; whole or any range, the empty one too."""
    id = await blobs.put(OTHER_TENANT, b"theirs")
    deleted = await blobs.put(TENANT, b"deleted")
    await blobs.delete(TENANT, deleted)
    for missing in (_NONE, id, deleted):
        await raises(NotFound, blobs.size(TENANT, missing))
        for start, stop in ((0, None), (0, 0), (3, 3), (1, 2)):
            await raises(NotFound, read(blobs, missing, start, stop))


async def deleting_twice_is_fine(blobs: BlobStore) -> None:
    """It takes one tenant's blob, once and for all, until the same is put again."""
    id = await blobs.put(TENANT, b"data")
    theirs = await blobs.put(OTHER_TENANT, b"data")
    await blobs.delete(TENANT, id)
    await blobs.delete(TENANT, id)
    await blobs.delete(TENANT, _NONE)
    await raises(NotFound, blobs.size(TENANT, id))
    assert await listed(blobs) == []
    assert await blobs.size(OTHER_TENANT, theirs) == 4
    assert await blobs.put(TENANT, b"data") == id
    assert await read(blobs, id) == b"data"


async def lists_are_pages_in_order(blobs: BlobStore) -> None:
    """Each begins behind the last of the one before, whether or not that is still there; nothing comes twice."""
    ids = sorted([await blobs.put(TENANT, b"%d" % n) for n in range(23)])
    await blobs.put(TENANT, b"7")
    await blobs.put(OTHER_TENANT, b"other")
    assert await listed(blobs) == ids
    pages: list[BlobId] = []
    while page := await listed(blobs, TENANT, after=pages[-1] if pages else None, limit=5):
        assert len(page) == min(5, len(ids) - len(pages))
        pages += page
    assert pages == ids
    await blobs.delete(TENANT, ids[3])
    assert await listed(blobs, TENANT, after=ids[3], limit=2) == ids[4:6]
    assert await listed(blobs, TENANT, after=_NONE) == [*ids[:3], *ids[4:]]
    assert await listed(blobs, TENANT, after=BlobId("f" * 64)) == []


async def tenants_never_meet(blobs: BlobStore) -> None:
    """Whatever their names are made of, and whatever a file system makes of such names."""
    ids = {tenant: await blobs.put(tenant, tenant.encode()) for tenant in _TENANTS}
    for tenant, id in ids.items():
        assert await listed(blobs, tenant) == [id]
        assert await read(blobs, id, tenant=tenant) == tenant.encode()
    await blobs.delete(_TENANTS[0], ids[_TENANTS[0]])
    for tenant in _TENANTS[1:]:
        assert await blobs.size(tenant, ids[tenant]) == len(tenant.encode())


async def an_address_is_checked(blobs: BlobStore) -> None:
    """``Invalid`` for what was never given out, before it becomes a part of a path."""
    for text in _NOT_IDS:
        wrong = BlobId(text)
        for call in (
            blobs.size(TENANT, wrong),
            blobs.delete(TENANT, wrong),
            blobs.list(TENANT, after=wrong),
            blobs.drop(TENANT, KeptBlob(wrong, NOW)),
            blobs.url(TENANT, wrong, _MINUTE),
            read(blobs, wrong),
            read(blobs, wrong, 1, 2),
        ):
            await raises(Invalid, call)


async def it_answers(blobs: BlobStore) -> None:
    """A ping is no blob; a link, where there are such things, is one of the web's."""
    await blobs.ping()
    assert await listed(blobs) == []
    link = await blobs.url(TENANT, _NONE, _MINUTE)
    assert link is None or (link.startswith(("http://", "https://")) and _NONE in link)


async def _replay(blobs: BlobStore, history: Iterable[tuple[str, int, bool]]) -> None:
    table: dict[tuple[TenantId, BlobId], bytes] = {}
    ids: dict[tuple[TenantId, bytes], BlobId] = {}
    for what, number, foreign in history:
        tenant = OTHER_TENANT if foreign else TENANT
        data = b"%d" % number
        id = ids.get((tenant, data), _NONE)
        if what == "put":
            again = await blobs.put(tenant, data)
            assert id in (again, _NONE)
            id = ids[tenant, data] = again
            table[tenant, id] = data
        elif what == "delete":
            await blobs.delete(tenant, id)
            table.pop((tenant, id), None)
        assert await listed(blobs, tenant) == sorted(known for owner, known in table if owner == tenant)
        if (tenant, id) in table:
            assert await read(blobs, id, tenant=tenant) == data
        else:
            await raises(NotFound, blobs.size(tenant, id))


async def _put_in_pieces(blobs: BlobStore, cut: Sequence[bytes]) -> None:
    data = b"".join(cut)
    id = await blobs.put(TENANT, pieces(cut))
    assert await blobs.put(TENANT, data) == id
    assert await read(blobs, id) == data


async def _show(open_blobs: OpenBlobs, example: BlobExample) -> None:
    async with asyncio.timeout(_PATIENCE), open_blobs() as blobs:
        await example(blobs)


def _test(function: BlobExample, open_blobs: OpenBlobs) -> Callable[[unittest.TestCase], None]:
    def test(self: unittest.TestCase) -> None:
        asyncio.run(_show(open_blobs, function))

    test.__doc__ = function.__doc__
    return test


_EXAMPLES: Final[tuple[BlobExample, ...]] = (
    what_was_put_comes_back,
    chunks_are_small_and_never_empty,
    a_range_is_the_slice,
    what_is_not_there_is_not_found,
    deleting_twice_is_fine,
    lists_are_pages_in_order,
    tenants_never_meet,
    an_address_is_checked,
    *STREAMS,
    it_answers,
)
