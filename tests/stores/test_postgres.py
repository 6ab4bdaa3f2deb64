"""The PostgreSQL stores keep every contract, also behind faults and from several processes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from codetether_adapters.faults import Faults, faulty
from codetether_adapters.postgres import open_backend
from codetether_adapters.redis import open_channel
from codetether_core.ports import Backend
from contracts.ports import (
    STORE_CONTRACTS,
    audit_log_contract,
    erasing_contract,
    event_log_contract,
    processes_contract,
    task_store_contract,
    wholeness_contract,
)
from tests.servers.pace import at_its_pace
from tests.servers.postgres import bound, empty_store, new_store
from tests.servers.valkey import fresh, own_server


@asynccontextmanager
async def emptied_store() -> AsyncIterator[Backend]:
    """The store of this process with nothing in it."""
    async with open_backend(empty_store()) as backend:
        yield backend


@asynccontextmanager
async def emptied_and_kept() -> AsyncIterator[Backend]:
    """The same with a keeper."""
    keeper = empty_store()
    async with open_backend(bound(keeper), keeper=keeper) as backend:
        yield backend


globals().update((f"Test_{contract.__name__}", at_its_pace(contract(emptied_store))) for contract in STORE_CONTRACTS)

TestBehindFaults = at_its_pace(task_store_contract(lambda: faulty(emptied_store(), Faults(7, before=0.15, after=0.15))))

for contract in (task_store_contract, event_log_contract, audit_log_contract, erasing_contract, wholeness_contract):
    globals()[f"Test_{contract.__name__}_with_a_keeper"] = at_its_pace(contract(emptied_and_kept))

TestProcesses = processes_contract(lambda: partial(open_backend, new_store()))

TestProcessesWithARedisNotifier = processes_contract(
    lambda: partial(open_backend, new_store(), open_channel=partial(open_channel, fresh(own_server().url)))
)
