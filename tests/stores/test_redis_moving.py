"""Slots of a cluster that move from server to server under load: nothing is lost, nothing is there twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import count

import pytest
from attrs import evolve
from redis.crc import key_slot

from codetether_adapters.redis import nodes, open_backend
from codetether_adapters.redis.keys import Layout
from codetether_core.errors import AlreadyExists, Unavailable
from codetether_core.events import Guard, Topic
from codetether_core.ids import CodebaseId
from codetether_core.ports import Backend, TaskQuery
from codetether_core.tasks import Task, lane_of
from contracts.ports.harness import insist
from contracts.ports.samples import SECOND, TENANT, claimed, new_task, output
from tests.servers.valkey import Valkey, ValkeyCluster, fresh, wait_until

pytestmark = pytest.mark.anyio

SHARDS = 2
WRITERS = 6


@pytest.fixture(scope="module")
def cluster() -> Iterator[ValkeyCluster]:
    """One whose slots may be moved."""
    own = ValkeyCluster()
    try:
        yield own.start()
    finally:
        own.close()


def by_keys(cluster: ValkeyCluster, slot: int, source: Valkey, target: Valkey) -> None:
    """Key by key, as Redis Cluster always did: for a while some are here and some are there."""
    here, there = source.ask("CLUSTER", "MYID"), target.ask("CLUSTER", "MYID")
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", here)
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", there)
    while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 5):
        source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
    for server in (target, source, *cluster.masters):
        server.ask("CLUSTER", "SETSLOT", slot, "NODE", there)


def as_a_whole(cluster: ValkeyCluster, slot: int, source: Valkey, target: Valkey) -> None:
    """Atomically, as Valkey 9 can."""
    there = target.ask("CLUSTER", "MYID")
    source.ask("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", there)
    wait_until(lambda: all(owner(each, slot) == target.port for each in cluster.masters), "the slot has moved")


def owner(server: Valkey, slot: int) -> int:
    """The port of who has the slot, as a server sees it."""
    ranges = server.ask("CLUSTER", "SLOTS")
    return next(port for first, last, (_, port, *_), *_ in ranges if first <= slot <= last)


async def test_nothing_is_done_by_halves(cluster: ValkeyCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """While keys are here and there a write does nothing, whichever key has gone; then it does everything."""
    url = fresh(cluster.url, "shards=1")
    slot = key_slot(Layout(url.rpartition("prefix=")[2].partition("&")[0], 1).key(0).encode())
    source, target = sorted(cluster.masters, key=lambda each: each.port != owner(cluster.masters[0], slot))[:2]
    here, there = source.ask("CLUSTER", "MYID"), target.ask("CLUSTER", "MYID")
    async with open_backend(url) as backend:
        start = await backend.log.head()
        first, second = claimed(new_task("a")), new_task("b")
        await carry_out(backend, new_task("a"))
        await backend.tasks.add(second, output(second, "0"))
        again = evolve(first, version=first.version + 1)
        writes: list[Callable[[], Awaitable[None]]] = [
            lambda: backend.log.append(output(first, "4"), Guard(first.tenant, first.id, first.fence, 2)),
            lambda: backend.tasks.replace(first, again, output(first, "5"), op="again"),
            lambda: backend.tasks.replace(second, claimed(second), output(second, "1"), op="claim"),
        ]
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", here)
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", there)
        monkeypatch.setattr(nodes, "_FAILOVER", 0.0)
        # What a write comes upon last goes first.
        order = (":events", ":x:", ":numbers", ":ready:", ":lanes:", "")
        keys = source.ask("CLUSTER", "GETKEYSINSLOT", slot, 1000)
        for key in sorted(keys, key=lambda key: next(n for n, part in enumerate(order) if part in key)):
            source.ask("MIGRATE", "127.0.0.1", target.port, key, 0, 5000)
            for write in writes:
                with pytest.raises(Unavailable, match="moves our keys"):
                    await write()
        monkeypatch.undo()
        for server in (target, source, *cluster.masters):
            server.ask("CLUSTER", "SETSLOT", slot, "NODE", there)
        assert await backend.tasks.ready([lane_of(TENANT, second.spec)], 10) == [second]
        for write in writes:
            await write()
        for task, count in ((again, 6), (claimed(second), 2)):
            assert await backend.tasks.get(TENANT, task.id) == task
            records = (await backend.log.read(Topic.task(TENANT, task.spec.codebase, task.id), start)).records
            assert [record.body for record in records] == [b'{"text":"%d"}' % n for n in range(count)]


async def carry_out(backend: Backend, task: Task) -> None:
    """Add it, claim it and write for it; who is told that the store is unavailable tries again."""

    async def add() -> None:
        with suppress(AlreadyExists):
            await backend.tasks.add(task, output(task, "0"))

    running = claimed(task)
    await insist(add)
    await insist(lambda: backend.tasks.replace(task, running, output(task, "1"), op="claim"))
    await insist(lambda: backend.log.append(output(task, "2", "3"), Guard(task.tenant, task.id, running.fence, 0)))


@pytest.mark.parametrize("move", [by_keys, pytest.param(as_a_whole, marks=pytest.mark.recent)])
async def test_a_busy_shard_moves(
    cluster: ValkeyCluster, move: Callable[[ValkeyCluster, int, Valkey, Valkey], None]
) -> None:
    """Round all servers: every write is there once, with its events, and whoever watches sees each of them once."""
    url = fresh(cluster.url, f"shards={SHARDS}")
    layout = Layout(url.rpartition("prefix=")[2].partition("&")[0], SHARDS)
    slot = key_slot(layout.key(0).encode())
    moved, another = asyncio.Event(), asyncio.Semaphore(0)

    async def move_round() -> None:
        try:
            for _ in cluster.masters:
                for _ in range(5 * WRITERS):
                    await another.acquire()
                source = next(each for each in cluster.masters if each.port == owner(each, slot))
                target = cluster.masters[(cluster.masters.index(source) + 1) % len(cluster.masters)]
                await asyncio.to_thread(move, cluster, slot, source, target)
        finally:
            moved.set()

    async with open_backend(url) as writing, open_backend(url) as watching:
        start = await watching.log.head()
        seen: Counter[tuple[Topic, int]] = Counter()
        done: list[Task] = []
        names = count()

        async def write() -> None:
            while not moved.is_set():
                task = new_task(f"t{next(names)}", codebase=CodebaseId(f"cb{next(names) % 7}"))
                await carry_out(writing, task)
                done.append(task)
                another.release()

        async def watch() -> None:
            cursor = start
            with watching.notifier.listen(Topic(TENANT)) as bell:
                while not (moved.is_set() and len(seen) >= 4 * len(done) and writers.done()):
                    page = await insist(partial(watching.log.read, Topic(TENANT), cursor))
                    seen.update((record.topic, record.number) for record in page.records)
                    cursor = page.cursor
                    if not page.more:
                        await bell.wait(SECOND)

        async with asyncio.timeout(120):
            writers = asyncio.gather(*(write() for _ in range(WRITERS)))
            await asyncio.gather(writers, watch(), move_round())
        for task in done:
            assert await watching.tasks.get(TENANT, task.id) == claimed(task)
            records = (await watching.log.read(Topic.task(TENANT, task.spec.codebase, task.id), start)).records
            assert [record.body for record in records] == [b'{"text":"%d"}' % n for n in range(4)]
        listed = await watching.tasks.list(TENANT, TaskQuery(limit=2 * len(done)))
        assert sorted(task.id for task in listed) == sorted(task.id for task in done)
    assert set(seen.values()) == {1} and len(seen) == 4 * len(done)
