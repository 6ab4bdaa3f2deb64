"""Examples of blobs on their way: streams that break, callers that go, and many at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from codetether_core.artifacts import CHUNK
from codetether_core.ports import BlobStore
from contracts.ports.blob_bytes import BlobExample, listed, pieces, read, some_bytes
from contracts.ports.harness import raises
from contracts.ports.samples import TENANT

__all__ = ["STREAMS"]


async def a_stream_that_fails_leaves_nothing(blobs: BlobStore) -> None:
    """At its beginning or far into it; its own error comes out."""

    class StreamFailed(Exception):
        """It broke."""

    async def failing(chunks: int) -> AsyncIterator[bytes]:
        for _ in range(chunks):
            yield some_bytes(CHUNK)
        raise StreamFailed

    for chunks in (0, 1, 3):
        await raises(StreamFailed, blobs.put(TENANT, failing(chunks)))
    assert await listed(blobs) == []


async def a_cancelled_put_leaves_nothing(blobs: BlobStore) -> None:
    """While it waits for its stream; the next one is none the worse."""
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield some_bytes(2 * CHUNK)
        begun.set()
        await asyncio.Event().wait()

    putting = asyncio.create_task(blobs.put(TENANT, endless()))
    await begun.wait()
    putting.cancel()
    assert isinstance((await asyncio.gather(putting, return_exceptions=True))[0], asyncio.CancelledError)
    assert await listed(blobs) == []
    assert await read(blobs, await blobs.put(TENANT, b"next")) == b"next"


async def a_put_may_be_cancelled_at_any_moment(blobs: BlobStore) -> None:
    """Then the blob is there or it is not, and never a part of it."""
    data = some_bytes(3 * CHUNK)
    for turns in range(24):
        putting = asyncio.create_task(blobs.put(TENANT, pieces([data[:CHUNK], data[CHUNK:], b"%d" % turns])))
        for _ in range(turns):
            await asyncio.sleep(0)
        putting.cancel()
        await asyncio.gather(putting, return_exceptions=True)
    for id in await listed(blobs):
        assert (await read(blobs, id)).startswith(data)


async def many_may_put_the_same(blobs: BlobStore) -> None:
    """At once, whole and in pieces, while others read it: nobody sees a part of it."""
    data = some_bytes(2 * CHUNK + 1)
    id = await blobs.put(TENANT, data)
    puts = [blobs.put(TENANT, data if n % 2 else pieces([data[:CHUNK], data[CHUNK:]])) for n in range(8)]
    reads = [read(blobs, id) for _ in range(8)]
    put, seen = await asyncio.gather(asyncio.gather(*puts), asyncio.gather(*reads))
    assert set(put) == {id} and set(seen) == {data}
    assert await listed(blobs) == [id]


async def many_may_be_open(blobs: BlobStore) -> None:
    """More readers than the store has threads or connections, each halfway, keep nobody from anything."""
    data = some_bytes(3 * CHUNK)
    id = await blobs.put(TENANT, data)
    halfway = asyncio.Barrier(24)

    async def read_halfway() -> bytes:
        async with blobs.open(TENANT, id) as chunks:
            first = await anext(chunks)
            await halfway.wait()
            other = await blobs.put(TENANT, first)
            assert await blobs.size(TENANT, other) == len(first)
            return first + b"".join([chunk async for chunk in chunks])

    assert set(await asyncio.gather(*(read_halfway() for _ in range(24)))) == {data}


async def a_reader_may_leave(blobs: BlobStore) -> None:
    """Before the end, by itself or cancelled, again and again; what it held is free."""
    id = await blobs.put(TENANT, some_bytes(4 * CHUNK))
    for _ in range(40):
        async with blobs.open(TENANT, id) as chunks:
            assert await anext(chunks)
        reading = asyncio.create_task(read(blobs, id))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    assert len(await read(blobs, id)) == 4 * CHUNK


STREAMS: Final[tuple[BlobExample, ...]] = (
    a_stream_that_fails_leaves_nothing,
    a_cancelled_put_leaves_nothing,
    a_put_may_be_cancelled_at_any_moment,
    many_may_put_the_same,
    many_may_be_open,
    a_reader_may_leave,
)
