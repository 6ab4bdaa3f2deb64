"""Blobs in a directory keep the contract."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from codetether_adapters.filesystem import open_blobs
from codetether_core.ports import BlobStore
from contracts.ports import blob_store_contract

# Hypothesis opens very many stores; where there is a directory in memory, they need not wait for a disk.
SCRATCH = "/dev/shm" if Path("/dev/shm").is_dir() else None


@asynccontextmanager
async def new_store() -> AsyncIterator[BlobStore]:
    """A store in a directory of its own."""
    with tempfile.TemporaryDirectory(dir=SCRATCH) as directory:
        async with open_blobs(f"file://{directory}/blobs") as blobs:
            yield blobs


TestFiles = blob_store_contract(new_store)
