"""Figures of one store: lives on one replica and on two, and what a claim costs however much waits or was claimed."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from statistics import median

from tests.bench.backlog import add_waiting, claim_waiting, copy_waiting
from tests.bench.claims import Cost, compare_claims, held_past, opened
from tests.bench.figure import Figure
from tests.bench.figures import Measure, cost, drive
from tests.bench.lives import own_life
from tests.bench.race import outcomes_of, race
from tests.bench.servers import Server, codetether_server
from tests.bench.storage import Storage, storage

__all__ = ["of_store"]

_RUNS = 3
_FEW = 1_000
_BAR = "≤ 1.5"


def of_store(engine: str) -> Mapping[str, Measure]:
    """The figures of a store of that kind, which is started for them."""

    def lives(quick: bool) -> Iterator[Figure]:
        with storage(engine) as here:
            yield from _lives(here, 1, quick)
            if engine == "sqlite":
                yield Figure("our worker's life, 2 replicas", None, "", "a file belongs to one process")
            else:
                yield from _lives(here, 2, quick)

    def claims(quick: bool) -> Iterator[Figure]:
        with storage(engine) as here:
            yield from asyncio.run(_claims(here, quick))

    return {"lives": lives, "claims": claims}


def _lives(here: Storage, replicas: int, quick: bool) -> Iterator[Figure]:
    """Whole lives over HTTP; then a race for the same tasks, and what became of all of them."""
    count = 400 if quick else 2_000
    name = f"our worker's life, {replicas} replica{'s' if replicas > 1 else ''}"
    url, token = here.new(), secrets.token_hex(16)
    with ExitStack() as stack:
        servers = [stack.enter_context(codetether_server(store=url, token=token)) for _ in range(replicas)]
        for server in servers:
            drive(server, own_life, 100)
        runs = [_together(here, servers, count) for _ in range(_RUNS)]
        torn = race(servers, count // 10)
    servers_cpu, store_cpu, rate = (median(each) for each in zip(*runs, strict=True))
    yield Figure(f"{name}, lives per second", rate, "1/s", "4 connections each")
    yield Figure(f"{name}, CPU-s of the servers per 1,000", servers_cpu, "s")
    yield Figure(f"{name}, CPU-s of the store per 1,000", store_cpu, "s", "" if here.processes else "in the server's")
    outcomes = asyncio.run(outcomes_of(url))
    beside = f"{outcomes.tasks:,} tasks, {count // 10:,} of them wanted by {4 * replicas} connections at once"
    yield Figure(f"{name}, tasks lost", outcomes.lost, "", beside, "0")
    yield Figure(f"{name}, tasks granted or completed twice", outcomes.double + torn, "", beside, "0")


def _together(here: Storage, servers: Sequence[Server], count: int) -> tuple[float, float, float]:
    """CPU-seconds of the servers and of the store per 1,000 lives, and lives per second of all servers."""
    found: list[tuple[float, float]] = []
    threads = [
        threading.Thread(target=lambda server=server: found.append(cost(server, own_life, count // len(servers))))
        for server in servers
    ]
    before = here.cpu_seconds()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = (here.cpu_seconds() - before) * 1_000 / count
    return sum(cpu for cpu, _ in found) / len(found), store, sum(rate for _, rate in found)


async def _claims(here: Storage, quick: bool) -> Sequence[Figure]:
    """Claims from backlogs of several sizes; on PostgreSQL also behind as many claims that no vacuum may forget."""
    sizes = (_FEW, 10_000, 100_000) if quick else (_FEW, 100_000, 1_000_000)
    most = sizes[-1]
    async with AsyncExitStack() as stack:
        urls = {f"{size:,} waiting": here.new() for size in sizes}
        waiting = {name: await stack.enter_async_context(opened(url)) for name, url in urls.items()}
        for size, (name, url) in zip(sizes, urls.items(), strict=True):
            if here.engine == "postgresql":
                await asyncio.to_thread(copy_waiting, url, range(size))
            else:
                await add_waiting(waiting[name].backend, range(size))
        figures = [*_compared(await compare_claims(here, waiting))]
        if here.engine == "postgresql":
            few, *_, many = waiting
            with held_past(urls[many]):
                await add_waiting(waiting[many].backend, range(most, most + _FEW))
                await claim_waiting(waiting[many].backend, most)
                behind = {few: waiting[few], f"{_FEW:,} waiting, {most:,} claimed and a reader open": waiting[many]}
                figures += [*_compared(await compare_claims(here, behind))][1:]
    if quick:
        figures.append(Figure("a claim, 1,000,000 waiting", None, "", "without --quick"))
    return figures


def _compared(costs: Mapping[str, Cost]) -> Iterator[Figure]:
    """Each, and its ratio to the first."""
    first = next(iter(costs.values()))
    for name, each in costs.items():
        beside = f"CPU of claimer and store {each.cpu_milliseconds:.2f} ms"
        yield Figure(f"a claim, {name}", each.milliseconds, "ms", beside)
        if each is not first:
            beside = f"of CPU {each.cpu_milliseconds / first.cpu_milliseconds:.2f}"
            yield Figure(f"{name} : {next(iter(costs))}", each.milliseconds / first.milliseconds, "×", beside, _BAR)
