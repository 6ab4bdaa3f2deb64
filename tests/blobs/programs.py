"""Programs that the tests start as processes of their own: ``python -m tests.blobs.programs NAME URL``."""

import asyncio
import resource
import sys
from collections.abc import AsyncIterator

from codetether_adapters.filesystem import open_blobs
from codetether_core.artifacts import CHUNK
from codetether_core.errors import Unavailable
from contracts.ports.blob_bytes import listed
from contracts.ports.samples import TENANT


async def hold(url: str) -> None:
    """Be in the middle of a put until standard input ends, then finish it."""

    async def stream() -> AsyncIterator[bytes]:
        yield b"x" * CHUNK
        yield b"y" * CHUNK
        print("writing", flush=True)
        await asyncio.to_thread(sys.stdin.read)

    async with open_blobs(url) as blobs:
        print(await blobs.put(TENANT, stream()), flush=True)


async def crowd(url: str) -> None:
    """Fill a disk that is full at 300 kB, in a stream and in one piece; make room, and try again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * CHUNK

    async with open_blobs(url) as blobs:
        kept = await blobs.put(TENANT, b"small")
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
        for data in (stream(), b"x" * 400_000):
            try:
                await blobs.put(TENANT, data)
            except Unavailable as error:
                assert "free some space" in error.hint, error.hint
            else:
                raise AssertionError("it was kept")
        assert await listed(blobs) == [kept]
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert await blobs.size(TENANT, await blobs.put(TENANT, stream())) == 5 * CHUNK


if __name__ == "__main__":
    _, name, url = sys.argv
    asyncio.run({"hold": hold, "crowd": crowd}[name](url))
