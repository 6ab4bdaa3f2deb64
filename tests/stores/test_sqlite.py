"""The SQLite stores keep every contract."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from codetether_adapters.faults import Faults, faulty
from codetether_adapters.sqlite import open_backend
from codetether_core.ports import Backend
from contracts.ports import STORE_CONTRACTS, task_store_contract

# A machine opens very many stores; where there is a directory in memory, they need not wait for a disk.
SCRATCH = "/dev/shm" if Path("/dev/shm").is_dir() else None


@asynccontextmanager
async def new_store() -> AsyncIterator[Backend]:
    """A store in a directory of its own."""
    with tempfile.TemporaryDirectory(dir=SCRATCH) as directory:
        async with open_backend(f"sqlite://{Path(directory) / 'store.db'}") as backend:
            yield backend


globals().update((f"Test_{contract.__name__}", contract(new_store)) for contract in STORE_CONTRACTS)

TestBehindFaults = task_store_contract(lambda: faulty(new_store(), Faults(7, before=0.15, after=0.15)))
