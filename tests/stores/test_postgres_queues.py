"""Queues that move up hide nothing, and what has left them costs nothing, whoever holds on to the past."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import psycopg
import pytest
from attrs import evolve

from codetether_adapters.postgres import group, log_queries, open_backend
from codetether_adapters.postgres import task_queries as queries
from codetether_adapters.postgres.connection import SESSION
from codetether_adapters.postgres.task_rows import task_of
from codetether_core.errors import Conflict
from codetether_core.events import Topic
from codetether_core.ids import CodebaseId, TaskId, WorkerId
from codetether_core.ports import Backend
from codetether_core.tasks import Task, claim, complete, fail, lapse, release, renew, wake
from contracts.ports import task_store_contract
from contracts.ports.harness import forget
from contracts.ports.samples import NOW, SECOND, TENANT, TERMS, claimed, new_task, note, word
from tests.servers.pace import at_its_pace
from tests.servers.postgres import empty_store, new_store, overseeing

pytestmark = pytest.mark.anyio

ALL = 10_000
FEW = 60
"""Pages of tables and indexes that a question may look at."""

_WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@asynccontextmanager
async def moving(after: int) -> AsyncIterator[Backend]:
    """The store of this process with nothing in it, whose queues move up after so few."""
    async with open_backend(empty_store(), move_up_after=after) as backend:
        yield backend


TestMovingAlways = at_its_pace(task_store_contract(partial(moving, 1)))


@contextmanager
def looking_at(url: str) -> Iterator[psycopg.Connection]:
    with overseeing(url) as connection:
        connection.execute(SESSION)
        yield connection


def rows(connection: psycopg.Connection, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    return connection.execute(sql.encode(), values or None).fetchall()


def check(connection: psycopg.Connection) -> int:
    """At one moment, what is found by the queues is all that there is, in order; how much that is."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        ready = rows(
            connection, "SELECT lane, id, spec, body FROM tasks WHERE ready ORDER BY 1, priority DESC, created, 2"
        )
        due = rows(connection, "SELECT due, id, spec, body FROM tasks WHERE due IS NOT NULL ORDER BY 1, 2")
        lanes = sorted({lane for lane, *_ in ready})
        met = rows(connection, queries.LANES, "", TENANT, TENANT, ALL, TENANT)
        assert [lane for lane, body in met if body is not None] == lanes
        found = rows(connection, queries.READY, [TENANT] * len(lanes), lanes, ALL, ALL)
        assert [task_of(*each).id for each in found] == [id for _, id, *_ in ready]
        assert rows(connection, queries.NEXT_DUE) == [(moment,) for moment, *_ in due[:1]]
        overdue = rows(connection, queries.OVERDUE, 2**62, ALL)
        assert [task_of(*each).id for each in overdue] == [id for _, id, *_ in due]
    return len(ready) + len(due)


class Crowd:
    """Workers that do at random whatever may be done to a few tasks, each through one replica."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.tasks: dict[TaskId, Task] = {}
        self.names = count()
        self.swaps = 0

    async def work(self, backend: Backend, times: int) -> None:
        for _ in range(times):
            open_tasks = [task for task in self.tasks.values() if not task.ended]
            if len(open_tasks) < 12:
                await self._add(backend)
            else:
                await self._swap(backend, self.dice.choice(open_tasks))

    async def _add(self, backend: Backend) -> None:
        task = new_task(
            f"t{next(self.names):05}",
            at=self._moment(),
            codebase=CodebaseId(f"cb{self.dice.randrange(2)}"),
            priority=self.dice.randrange(3),
        )
        await backend.tasks.add(task)
        self.tasks[task.id] = task

    async def _swap(self, backend: Backend, old: Task) -> None:
        try:
            new = self.dice.choice(self._verbs(old))(old)
            await backend.tasks.replace(old, new)
        except Conflict:
            return
        self.tasks[new.id] = new
        self.swaps += 1

    def _verbs(self, task: Task) -> Sequence[Callable[[Task], Task]]:
        now, said = self._moment(), word(task.holder) if task.holder else None
        if task.ready:
            return [lambda task: claim(task, worker=WorkerId("w"), principal="p", now=now, terms=TERMS, nonce=f"{now}")]
        if said is None:
            return [lambda task: wake(task, now)]
        return [
            lambda task: renew(task, said, now, TERMS),
            lambda task: renew(task, said, now, TERMS),
            lambda task: release(task, said, now, TERMS),
            lambda task: lapse(task, now),
            lambda task: fail(task, said, now, TERMS, error="no", retry_after=self.dice.randrange(90) * SECOND),
            lambda task: complete(task, said, now, TERMS, result="done"),
        ]

    def _moment(self) -> datetime:
        """Clocks differ, and go on."""
        return NOW + timedelta(milliseconds=self.dice.randrange(30_000) + 10 * self.swaps)


@pytest.mark.parametrize("after", [1, 2, 3])
async def test_nothing_is_hidden_while_replicas_write_at_once(after: int) -> None:
    """Whatever they do in whichever order, each moment's questions have each moment's answers."""
    url = new_store()
    crowd = Crowd(after)
    async with AsyncExitStack() as stack:
        replicas = [await stack.enter_async_context(open_backend(url, move_up_after=after)) for _ in range(2)]
        looking = stack.enter_context(looking_at(url))
        working = asyncio.gather(*(crowd.work(replica, 80) for replica in replicas for _ in range(4)))
        looks: list[int] = []
        while not working.done():
            looks.append(await asyncio.to_thread(check, looking))
        await working
        looks.append(check(looking))
    assert crowd.swaps > 300 and sum(looks) > len(looks) > 10


def expiring(task: Task, at: datetime) -> Task:
    """The next version of a task that is held until then."""
    assert task.grant is not None
    return evolve(task, version=task.version + 1, grant=evolve(task.grant, expires_at=at))


def some_wait(connection: psycopg.Connection) -> bool:
    """Whether anybody comes to wait for the log's lock."""
    deadline = time.monotonic() + 30
    while rows(connection, _WAITING) == [(0,)]:
        if time.monotonic() > deadline:
            return False
    return True


async def test_what_is_due_sooner_takes_its_turn() -> None:
    """A renewal waits for nobody, unless the lease ends sooner than before: the moment before which nothing is due may
    be moving up.
    """
    url = new_store()
    async with open_backend(url) as backend:
        with looking_at(url) as looking:
            task = new_task()
            held = claimed(task)
            later, sooner = (expiring(held, NOW + seconds * SECOND) for seconds in (90, 30))
            await backend.tasks.add(task)
            await backend.tasks.replace(task, held)
            with looking.transaction():
                looking.execute("SELECT pg_advisory_xact_lock(%s)", [group.LOCK])
                await backend.tasks.replace(held, later)
                renewing = asyncio.create_task(backend.tasks.replace(later, evolve(sooner, version=later.version + 1)))
                assert await asyncio.to_thread(some_wait, looking) and not renewing.done()
            await renewing
            check(looking)


def pages(connection: psycopg.Connection, sql: str, *values: Any) -> int:
    """How many pages a question really looked at."""
    ((explained,),) = rows(connection, f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", *values)
    (plan,) = json.loads(explained) if isinstance(explained, str) else explained
    return int(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"])


async def wait_and_go(backend: Backend, number: int, *, priority: int) -> None:
    """A task is added, claimed, given back, claimed again, renewed and completed."""
    now, later = NOW + number * SECOND, NOW + (number + 10) * SECOND
    task = new_task(f"t{number:05}", at=now, priority=priority)
    await backend.tasks.add(task)
    for turn in ("first", "second"):
        held = claimed(task, nonce=turn, at=now)
        await backend.tasks.replace(task, held)
        renewed = renew(held, word(held.grant), later, TERMS)
        await backend.tasks.replace(held, renewed)
        end = release if turn == "first" else partial(complete, result="done")
        task = end(renewed, word(renewed.grant), later, TERMS)
        await backend.tasks.replace(renewed, task)


async def test_what_is_gone_is_not_walked_over_again() -> None:
    """While somebody holds a snapshot from before it all, so that no vacuum removes any of it."""
    url = new_store()
    async with open_backend(url, move_up_after=16) as backend:
        with psycopg.connect(url) as past, looking_at(url) as looking:
            past.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            past.execute("SELECT count(*) FROM codetether.tasks")
            for number in range(500):
                await backend.tasks.add(new_task(f"waiting{number:02}", at=NOW + number * SECOND, priority=-1))
            for first in range(0, 600, 30):
                going = (wait_and_go(backend, first + nth, priority=nth % 3) for nth in range(30))
                await asyncio.gather(*going)
            (lane,) = await backend.tasks.lanes(TENANT, limit=10)
            assert len(await backend.tasks.ready([lane], 10)) == 10
            assert pages(looking, queries.LANES, "", TENANT, TENANT, 10, TENANT) < FEW
            assert pages(looking, queries.READY, [TENANT], [lane.key], 10, 10) < FEW
            assert pages(looking, queries.OVERDUE, 2**62, 10) < FEW
            assert pages(looking, queries.NEXT_DUE) < FEW
            await backend.log.append([note(Topic(TENANT, "topic"), "x" * 1000)] * 1500)
            assert await forget(backend.log, NOW + SECOND, 1400) == 1400
            start = (await backend.log.start()).position
            assert pages(looking, log_queries.NEWS, start, 10) < FEW
            with looking.transaction(force_rollback=True):
                assert pages(looking, log_queries.TRIM, start + 1) < FEW


async def test_lanes_that_fell_idle_are_met_once() -> None:
    """A search that meets many of them is the last one that does; their next tasks are found all the same."""
    url = new_store()
    async with open_backend(url) as backend:
        with looking_at(url) as looking:
            lanes = [CodebaseId(f"cb{number}") for number in range(200)]
            tasks = [new_task(f"t{number}", codebase=codebase) for number, codebase in enumerate(lanes)]
            await asyncio.gather(*(backend.tasks.add(task) for task in tasks))
            await asyncio.gather(*(backend.tasks.replace(task, claimed(task)) for task in tasks[1:]))
            assert [lane.codebase for lane in await backend.tasks.lanes(TENANT, limit=ALL)] == lanes[:1]
            assert rows(looking, "SELECT count(*) FROM queues") == [(1,)]
            for number, codebase in enumerate(lanes[:10]):
                await backend.tasks.add(new_task(f"again{number}", codebase=codebase))
            assert {lane.codebase for lane in await backend.tasks.lanes(TENANT, limit=ALL)} == {*lanes[:10]}
            check(looking)


async def test_a_lane_has_few_queues_whatever_comes_first() -> None:
    """Each task is more urgent than all before it, and those that are claimed are not the oldest."""
    url = new_store()
    async with open_backend(url, move_up_after=1) as backend:
        with looking_at(url) as looking:
            for number in range(60):
                tasks = [new_task(f"t{number:03}{nth}", priority=2 * number + nth) for nth in range(2)]
                for task in tasks:
                    await backend.tasks.add(task)
                await backend.tasks.replace(tasks[1], claimed(tasks[1]))
                check(looking)
            assert rows(looking, "SELECT count(*) <= 17 FROM queues") == [(True,)]
