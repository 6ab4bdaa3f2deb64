"""What a claim costs in stores that differ in what waits in them, or in what was claimed before.

They take turns, so that whatever else goes on meanwhile slows all of them down alike.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from statistics import median
from typing import Final

import psutil
import psycopg
from attrs import define, field

from codetether_adapters.system import SystemClock, SystemEntropy
from codetether_apps.settings import read_settings
from codetether_apps.wiring.backends import open_backend
from codetether_core.access import SYSTEM
from codetether_core.ids import WorkerId
from codetether_core.services import Services, assemble
from tests.bench.accounting import cpu_seconds
from tests.bench.storage import Storage

__all__ = ["Cost", "compare_claims", "held_past", "opened"]

_TURNS: Final = 10
_CLAIMS: Final = 20


@define
class Cost:
    """Of claims one after another: how long each took, and CPU-seconds of the claimer and of the store for all."""

    taken: list[float] = field(factory=list)
    cpu: float = 0.0

    @property
    def milliseconds(self) -> float:
        """The median of one."""
        return median(self.taken) * 1e3

    @property
    def cpu_milliseconds(self) -> float:
        """The mean of one."""
        return self.cpu * 1e3 / len(self.taken)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Services]:
    """The services over a store."""
    async with open_backend(read_settings({"storage.store": url})) as backend:
        yield assemble(backend, SystemClock(await backend.now()), SystemEntropy())


async def compare_claims(storage: Storage, stores: Mapping[str, Services]) -> Mapping[str, Cost]:
    """The cost of a claim in each store."""
    processes = [*storage.processes, psutil.Process()]
    costs = {name: Cost() for name in stores}
    for services in stores.values():
        for _ in range(_CLAIMS):
            await _claim(services)
    for _ in range(_TURNS):
        for name, services in stores.items():
            cpu = cpu_seconds(processes)
            costs[name].taken += [await _claim(services) for _ in range(_CLAIMS)]
            costs[name].cpu += cpu_seconds(processes) - cpu
    return costs


@contextmanager
def held_past(url: str) -> Iterator[None]:
    """Somebody holds a snapshot of a PostgreSQL database as it is now, so that nothing that is in it now is removed."""
    with psycopg.connect(url) as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM codetether.meta")
        yield


async def _claim(services: Services) -> float:
    """Seconds from asking which lanes have something to do to the grant."""
    begun = time.perf_counter()
    lanes = await services.backend.tasks.lanes(SYSTEM.tenant, limit=1)
    (task, *_) = await services.backend.tasks.ready(lanes, 1)
    await services.claiming.claim(SYSTEM, WorkerId("bench"), task.id, tokened=True)
    return time.perf_counter() - begun
