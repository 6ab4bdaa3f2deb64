"""Figures of one store: lives on one replica and on two, and claims however many tasks wait."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from statistics import median

from codetether_adapters.system import SystemClock, SystemEntropy
from codetether_apps.settings import read_settings
from codetether_apps.wiring.backends import open_backend
from codetether_core.access import SYSTEM
from codetether_core.ids import WorkerId
from codetether_core.services import Services, assemble
from codetether_core.tasks import GLOBAL, TaskSpec, Word
from tests.bench.figures import Figure, Measure, cost, drive
from tests.bench.lives import own_life
from tests.bench.servers import Server, codetether_server
from tests.e2e.engines import ENGINES, store_settings

__all__ = ["SHARED", "of_store"]

SHARED = tuple(engine for engine in ENGINES if engine != "sqlite")
"""The stores that several servers may use."""

_AT_ONCE = 64


def of_store(engine: str) -> Mapping[str, Measure]:
    """The figures of a store of that kind, which is started for them."""

    def address() -> str:
        return store_settings(engine)["CODETETHER_STORE"]

    def lives(quick: bool) -> Iterator[Figure]:
        count = 400 if quick else 2_000
        token = secrets.token_hex(16)
        for replicas in (1, 2):
            with ExitStack() as stack:
                store = address()
                servers = [stack.enter_context(codetether_server(store=store, token=token)) for _ in range(replicas)]
                for server in servers:
                    drive(server, own_life, 100)
                cpu, rate = _together(servers, count)
                name = f"our worker's life on {engine}, {replicas} replica{'s' if replicas > 1 else ''}"
                yield Figure(f"{name}, CPU-s of the servers per 1,000", cpu, "s", "without the store's own")
                yield Figure(f"{name}, lives per second", rate, "1/s", "4 connections each")

    def claims(quick: bool) -> Iterator[Figure]:
        sizes = (1_000, 10_000) if quick else (1_000, 100_000)
        taken = asyncio.run(_claims(address(), sizes))
        for size, seconds in zip(sizes, taken, strict=True):
            yield Figure(
                f"a claim on {engine} with {size:,} waiting", seconds * 1e3, "ms", "found, granted, given back"
            )
        yield Figure(f"{sizes[1]:,} waiting : {sizes[0]:,}", taken[1] / taken[0], "×", "", "≤ 1.5")

    return {"lives": lives, "claims": claims}


def _together(servers: list[Server], count: int) -> tuple[float, float]:
    """CPU-seconds of all servers per 1,000 lives, and lives per second of all."""
    found: list[tuple[float, float]] = []
    threads = [
        threading.Thread(target=lambda server=server: found.append(cost(server, own_life, count // len(servers))))
        for server in servers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(cpu for cpu, _ in found) / len(found), sum(rate for _, rate in found)


async def _claims(store: str, sizes: tuple[int, ...]) -> list[float]:
    """The median seconds of a claim at each size of the backlog."""
    settings = read_settings({"storage.store": store})
    taken: list[float] = []
    async with open_backend(settings) as backend:
        services = assemble(backend, SystemClock(await backend.now()), SystemEntropy())
        waiting = 0
        for size in sizes:
            await _fill(services, size - waiting)
            waiting = size
            taken.append(median([await _claim(services) for _ in range(200)]))
    return taken


async def _fill(services: Services, count: int) -> None:
    async def some(count: int) -> None:
        for _ in range(count):
            await services.submission.submit(SYSTEM, TaskSpec(codebase=GLOBAL, title="bench", prompt="measure this"))

    await asyncio.gather(*(some(count // _AT_ONCE) for _ in range(_AT_ONCE)))


async def _claim(services: Services) -> float:
    begun = time.perf_counter()
    lanes = await services.backend.tasks.lanes(SYSTEM.tenant, limit=1)
    (task, *_) = await services.backend.tasks.ready(lanes, 1)
    task = await services.claiming.claim(SYSTEM, WorkerId("bench"), task.id, tokened=True)
    assert task.grant is not None
    word = Word(worker=WorkerId("bench"), principal=SYSTEM.name, token=task.grant.token)
    await services.reporting.release(SYSTEM.tenant, word, task.id)
    return time.perf_counter() - begun
