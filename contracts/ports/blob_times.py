"""Examples of when blobs were put, and of dropping those that were not put again since."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from datetime import timedelta
from functools import partial, update_wrapper
from typing import Any, Final, TypeAlias

from codetether_core.artifacts import CHUNK, BlobId, KeptBlob
from codetether_core.errors import NotFound
from codetether_core.ports import BlobStore
from contracts.ports.blob_bytes import BlobExample, listed, read, some_bytes
from contracts.ports.harness import raises
from contracts.ports.samples import NOW, OTHER_TENANT, TENANT

__all__ = ["times"]

_TimedExample: TypeAlias = Callable[[timedelta, BlobStore], Coroutine[Any, Any, None]]


def times(resolution: timedelta) -> Iterator[BlobExample]:
    """The examples, for a store in which two puts that are no more than that apart may have been at one time."""
    for example in _EXAMPLES:
        timed = partial(example, resolution)
        yield update_wrapper(timed, example)


async def putting_again_renews_the_time(resolution: timedelta, blobs: BlobStore) -> None:
    """Of that blob alone; reading does not."""
    other = await blobs.put(TENANT, b"other")
    first = await _put(blobs, b"data")
    theirs = await blobs.put(OTHER_TENANT, b"data")
    before = {blob.id: blob for blob in await blobs.list(TENANT)}, await blobs.list(OTHER_TENANT)
    await read(blobs, first.id)
    assert await _find(blobs, first.id) == first
    later = await _put_later(blobs, first, resolution)
    assert later.id == first.id
    assert {blob.id: blob for blob in await blobs.list(TENANT)} == {**before[0], later.id: later}
    assert (await blobs.list(OTHER_TENANT), [blob.id for blob in before[1]]) == (before[1], [theirs])
    assert other in before[0]


async def a_long_upload_is_not_old(resolution: timedelta, blobs: BlobStore) -> None:
    """Though its last byte came long before its end, its time is not before that."""

    async def slow() -> AsyncIterator[bytes]:
        yield some_bytes(2 * CHUNK)
        marker = await _put(blobs, b"marker")
        await _put_later(blobs, marker, resolution)

    uploaded = await blobs.put(TENANT, slow())
    found = {blob.id: blob.put_at for blob in await blobs.list(TENANT)}
    assert found.pop(uploaded) >= max(found.values())


async def what_was_put_again_is_not_dropped(resolution: timedelta, blobs: BlobStore) -> None:
    """Who listed it before does not know that somebody is about to need it."""
    first = await _put(blobs, b"data")
    later = await _put_later(blobs, first, resolution)
    assert not await blobs.drop(TENANT, first)
    assert await read(blobs, first.id) == b"data"
    assert await blobs.drop(TENANT, later)
    await raises(NotFound, blobs.size(TENANT, first.id))


async def what_is_dropped_is_gone(resolution: timedelta, blobs: BlobStore) -> None:
    """Once, and of that tenant alone; it may be put anew."""
    blob = await _put(blobs, b"data")
    theirs = await blobs.put(OTHER_TENANT, b"data")
    for expected in (True, False):
        assert await blobs.drop(TENANT, blob) == expected
    assert not await blobs.drop(TENANT, KeptBlob(BlobId("0" * 64), NOW))
    assert await listed(blobs) == []
    assert await blobs.size(OTHER_TENANT, theirs) == 4
    assert await blobs.put(TENANT, b"data") == blob.id
    assert await read(blobs, blob.id) == b"data"


async def _put(blobs: BlobStore, data: bytes) -> KeptBlob:
    return await _find(blobs, await blobs.put(TENANT, data))


async def _put_later(blobs: BlobStore, blob: KeptBlob, resolution: timedelta) -> KeptBlob:
    """Put it again and again until the store's clock has moved."""
    data, again = await read(blobs, blob.id), blob
    while again.put_at - blob.put_at <= resolution:
        again = await _put(blobs, data)
    return again


async def _find(blobs: BlobStore, id: BlobId) -> KeptBlob:
    (found,) = [blob for blob in await blobs.list(TENANT) if blob.id == id]
    return found


_EXAMPLES: Final[tuple[_TimedExample, ...]] = (
    putting_again_renews_the_time,
    a_long_upload_is_not_old,
    what_was_put_again_is_not_dropped,
    what_is_dropped_is_gone,
)
