"""Blobs in memory keep the contract."""

from contextlib import AbstractAsyncContextManager

import pytest

from codetether_adapters.memory import open_blobs
from codetether_core.errors import Invalid
from codetether_core.ports import BlobStore
from contracts.ports import blob_store_contract


def new_store() -> AbstractAsyncContextManager[BlobStore]:
    return open_blobs("memory://")


TestMemory = blob_store_contract(new_store)


async def test_an_address_with_more_in_it_is_refused() -> None:
    with pytest.raises(Invalid):
        async with open_blobs("memory://elsewhere"):
            pass
