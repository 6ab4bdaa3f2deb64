"""Blobs in a bucket keep the contract, on a real S3 server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from codetether_adapters.s3 import open_blobs
from codetether_core.ports import BlobStore
from contracts.ports import blob_store_contract
from tests.servers.pace import at_its_pace
from tests.servers.s3 import shared_s3


@asynccontextmanager
async def new_store() -> AsyncIterator[BlobStore]:
    """A store in a prefix of its own."""
    async with open_blobs(shared_s3().url()) as blobs:
        yield blobs


# It tells the time in seconds, some rounded up.
TestS3 = at_its_pace(blob_store_contract(new_store, resolution=timedelta(seconds=2)))
