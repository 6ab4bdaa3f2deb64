"""Large blobs need little memory, wherever they are kept."""

import tracemalloc
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from pathlib import Path

import pytest

from codetether_adapters import filesystem, s3
from codetether_core.ports import BlobStore
from contracts.ports.blob_bytes import listed
from contracts.ports.samples import TENANT
from tests.servers.s3 import shared_s3

pytestmark = pytest.mark.anyio

MEBIBYTE = 1024 * 1024
SIZE = 64


async def stream() -> AsyncIterator[bytes]:
    for number in range(SIZE):
        yield bytes([number]) * MEBIBYTE


@pytest.mark.parametrize(("store", "limit"), [("file", 6 * MEBIBYTE), ("s3", 28 * MEBIBYTE)])
async def test_64_mebibytes_pass_through_little_memory(tmp_path: Path, store: str, limit: int) -> None:
    """Written and read as streams: chunks for a directory, one part of an upload for a bucket."""
    opened: AbstractAsyncContextManager[BlobStore]
    if store == "file":
        opened = filesystem.open_blobs((tmp_path / "blobs").as_uri())
    else:
        opened = s3.open_blobs(shared_s3().url())
    async with opened as blobs:
        tracemalloc.start()
        try:
            id = await blobs.put(TENANT, stream())
            read, sha = 0, sha256()
            async with blobs.open(TENANT, id) as chunks:
                async for chunk in chunks:
                    read += len(chunk)
                    sha.update(chunk)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert read == SIZE * MEBIBYTE and sha.hexdigest() == id
        assert await blobs.size(TENANT, id) == SIZE * MEBIBYTE
        assert peak < limit, peak
        middle = 40 * MEBIBYTE
        async with blobs.open(TENANT, id, start=middle - 1, stop=middle + 1) as chunks:
            assert b"".join([chunk async for chunk in chunks]) == bytes([39, 40])
        await blobs.delete(TENANT, id)
        assert await listed(blobs) == []
