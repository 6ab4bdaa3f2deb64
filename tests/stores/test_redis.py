"""The Redis stores keep every contract on one server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from codetether_adapters.faults import Faults, faulty
from codetether_adapters.redis import open_backend
from codetether_core.ports import Backend
from contracts.ports import STORE_CONTRACTS, task_store_contract
from tests.servers.pace import at_its_pace
from tests.servers.valkey import fresh, own_server


@asynccontextmanager
async def new_store() -> AsyncIterator[Backend]:
    """A store under a prefix of its own."""
    async with open_backend(fresh(own_server().url)) as backend:
        yield backend


globals().update((f"Test_{contract.__name__}", at_its_pace(contract(new_store))) for contract in STORE_CONTRACTS)

TestBehindFaults = at_its_pace(task_store_contract(lambda: faulty(new_store(), Faults(7, before=0.15, after=0.15))))
