"""What a blob's address is, what is checked on the way, and how streams are cut."""

from collections.abc import AsyncIterator, Iterable
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_core.artifacts import (
    CHUNK,
    BlobDamaged,
    BlobId,
    address_of,
    blob_id,
    blocks,
    intact,
    is_blob_id,
    tenant_folder,
)
from codetether_core.errors import Invalid
from codetether_core.ids import TenantId

pytestmark = pytest.mark.anyio

CHUNKS = st.lists(st.binary(min_size=1, max_size=5))


def address(data: bytes) -> BlobId:
    return BlobId(sha256(data).hexdigest())


@given(st.binary())
def test_an_address_is_known_before_the_bytes_are_put(data: bytes) -> None:
    assert address_of(data) == address(data)


@given(CHUNKS)
def test_an_intact_blob_comes_as_it_is(chunks: list[bytes]) -> None:
    assert [*intact(address(b"".join(chunks)), chunks)] == chunks


@given(CHUNKS, CHUNKS)
def test_the_last_chunk_of_a_damaged_blob_never_comes(kept: list[bytes], wanted: list[bytes]) -> None:
    """Changed, cut short or longer: one chunk less comes than there is, then the error, so that no one sees an end."""
    if b"".join(kept) == b"".join(wanted):
        return
    seen = list[bytes]()
    with pytest.raises(BlobDamaged) as caught:
        seen.extend(intact(address(b"".join(wanted)), kept))
    assert seen == kept[:-1]
    assert caught.value.hint and caught.value.details["id"] == address(b"".join(wanted))


@given(st.text(), st.text())
def test_tenants_have_folders_of_their_own(one: str, other: str) -> None:
    """Safe as a name of a file, whatever the case that a file system ignores, and never a hidden one."""
    folders = {tenant_folder(TenantId(name)).lower() for name in (one, other)}
    assert len(folders) == len({one, other})
    assert all(folder.replace("_", "a").replace("-", "a").replace(".", "a").isalnum() for folder in folders)
    assert not any(folder.startswith((".", "-")) or len(folder) > 63 for folder in folders)


def test_a_plain_tenant_is_legible() -> None:
    assert tenant_folder(TenantId("team-7_x")) == "team-7_x"


@given(st.text())
def test_an_address_is_a_digest_or_refused(text: str) -> None:
    assert not is_blob_id(text)
    with pytest.raises(Invalid):
        blob_id(text)
    assert blob_id(address(text.encode("utf-8", "replace")))


@given(st.lists(st.integers(0, 3 * CHUNK), max_size=6))
async def test_small_pieces_are_gathered(sizes: list[int]) -> None:
    """The same bytes, and all blocks but the last are worth a turn in a thread."""

    async def pieces(sizes: Iterable[int]) -> AsyncIterator[bytes]:
        for number, size in enumerate(sizes):
            yield bytes([number]) * size

    found = [block async for block in blocks(pieces(sizes))]
    assert b"".join(found) == b"".join(bytes([number]) * size for number, size in enumerate(sizes))
    assert all(len(block) >= CHUNK for block in found[:-1]) and all(found)
