"""What one replica erases no other one tells, however much of it that has in memory; and nobody takes it for a loss."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from codetether_adapters.postgres import open_backend as open_postgres
from codetether_adapters.redis import open_backend as open_redis
from codetether_core.events import TASK_ERASED, Cursor, Record, Topic
from codetether_core.ports import Backend
from codetether_core.tasks import Task, cancel
from contracts.ports.event_log_pages import read_all
from contracts.ports.harness import OpenBackend
from contracts.ports.samples import CODEBASE, NOW, TENANT, end_of, new_task, note, output
from tests.servers.postgres import new_store
from tests.servers.valkey import fresh, own_cluster, own_server
from tests.stores.test_redis_strict import primary

pytestmark = pytest.mark.anyio

SHARES = [
    pytest.param(lambda: partial(open_postgres, new_store()), id="postgresql"),
    pytest.param(lambda: partial(open_redis, fresh(own_server().url)), id="redis"),
    pytest.param(
        lambda: partial(open_redis, fresh(primary().url), strict=True), id="redis-strict", marks=pytest.mark.recent
    ),
    pytest.param(lambda: partial(open_redis, fresh(own_cluster().url)), id="redis-cluster"),
]
ELSEWHERE = Topic(TENANT, "cb2", "s")


async def ended(backend: Backend, id: str, *texts: str) -> Task:
    task = new_task(id)
    await backend.tasks.add(task, output(task, "begun"))
    new = cancel(task, NOW, by="somebody")
    await backend.tasks.replace(task, new, output(task, *texts))
    return new


async def told(backend: Backend, start: Cursor, last: str) -> list[Record]:
    """What there is from the start on, once it has that end."""
    async with asyncio.timeout(30):
        while True:
            found = await read_all(backend, Topic(TENANT), start)
            if found and last.encode() in found[-1].body:
                return found
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("share", SHARES)
async def test_an_erased_end_of_the_log_is_no_loss(
    share: Callable[[], OpenBackend], caplog: pytest.LogCaptureFixture
) -> None:
    """A replica whose memory ends with what is gone looks at the log, and goes on in it."""
    opener = share()
    async with opener() as here, opener() as there:
        start = await here.log.head()
        for n in range(10):
            task = await ended(here, f"t{n}", *(f"secret {n}.{m}" for m in range(3)))
            before = await told(there, start, f"secret {n}.2")
            middle = Cursor(start.epoch, before[-2].position)
            await here.tasks.remove(task, [end_of(task)])
            head = await here.log.head()
            assert (await there.log.read(Topic(TENANT), head)).records == ()
            assert (await there.log.head()).epoch == start.epoch
            for backend in (here, there):
                found = await read_all(backend, Topic(TENANT, CODEBASE), start)
                assert [each.kind for each in found] == [TASK_ERASED] * (n + 1)
                (rest,) = await read_all(backend, Topic(TENANT), middle)
                assert (rest.topic.subject, rest.kind) == (task.id, TASK_ERASED)
        await here.log.append([note(ELSEWHERE, "after all")])
        for backend in (here, there):
            found = await told(backend, start, "after all")
            assert len(found) == 11 and not any(b"secret" in each.body for each in found)
            assert (await backend.log.head()).epoch == start.epoch
        async with opener() as late:
            assert len(await read_all(late, Topic(TENANT), start)) == 11
    assert "acknowledged" not in caplog.text


@pytest.mark.parametrize("share", SHARES)
async def test_who_follows_goes_on_while_others_are_erased(share: Callable[[], OpenBackend]) -> None:
    """Each of the records that stay once, in order, by a watcher at another replica; none of a task after its end.

    The end of all may come before that of a task: those of other shards are seen as they come.
    """
    opener = share()
    async with opener() as here, opener() as there:
        start, seen = await there.log.head(), list[Record]()

        def has_all() -> bool:
            ends = sum(each.kind == TASK_ERASED for each in seen)
            return ends == 40 and any(b"the end" in each.body for each in seen)

        async def watch() -> None:
            cursor = start
            with there.notifier.listen(Topic(TENANT)) as bell:
                while not has_all():
                    page = await there.log.read(Topic(TENANT), cursor, limit=200)
                    seen.extend(page.records)
                    cursor = page.cursor
                    if not page.more and not has_all():
                        await bell.wait()

        async def write() -> None:
            for n in range(40):
                task = await ended(here, f"t{n}", *(f"{n}.{m}" for m in range(5)))
                await here.log.append([note(ELSEWHERE, f"stays {n}")])
                await here.tasks.remove(task, [end_of(task)])
            await here.log.append([note(ELSEWHERE, "the end")])

        async with asyncio.timeout(60):
            await asyncio.gather(watch(), write())
    stays = [each for each in seen if each.topic == ELSEWHERE]
    assert [each.number for each in stays] == [*range(1, 42)]
    gone: set[str] = set()
    for each in seen:
        assert each.topic.subject not in gone
        if each.kind == TASK_ERASED:
            gone.add(each.topic.subject)
    assert len(gone) == 40
