"""A task's log outlives its retention: filed away before it is forgotten, and read as if nothing had happened."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from attrs import frozen

from codetether_adapters.memory import MemoryBlobs, open_backend
from codetether_core.errors import Unavailable
from codetether_core.events import Topic
from codetether_core.ports import Backend
from codetether_core.services import Entry, Services, assemble
from codetether_core.tasks import OutputChunk, Task, TaskState
from tests.services.conftest import Dice, FakeClock
from tests.services.desk import TENANT, Desk

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


def services_over(backend: Backend, clock: FakeClock, blobs: MemoryBlobs | None) -> Services:
    return assemble(backend, clock, Dice(), blobs=blobs, retention=DAY)


@frozen
class Place:
    """A desk whose one log keeps a day."""

    desk: Desk
    blobs: MemoryBlobs

    async def printed(self, *texts: str, ended: bool = True) -> Task:
        task, word = await self.desk.claimed(await self.desk.submitted())
        reporting = self.desk.services.reporting
        for number, text in enumerate(texts):
            await reporting.output(TENANT, word, task.id, [OutputChunk(text=text)], first=number)
        if ended:
            return await reporting.complete(TENANT, word, task.id, "done")
        return await reporting.release(TENANT, word, task.id)

    async def forget(self) -> None:
        """Let a day pass, and all that is too old be forgotten."""
        self.desk.advance(2 * DAY)
        while await self.desk.services.maintenance.forget():
            pass
        self.desk.services.maintenance._forgot_at = None

    async def output(self, task: Task, offset: int = 0, limit: int = 100, size: int = 2**20) -> list[str]:
        found = await self.desk.services.task_logs.output(
            await self.desk.get(task.id), offset=offset, limit=limit, size=size
        )
        return [json.loads(record.body)["output"] for record in found]

    async def lines(self, task: Task) -> list[Mapping[str, Any]]:
        source = self.desk.services.task_logs.lines(await self.desk.get(task.id))
        return [json.loads(line) async for line in source]

    async def live(self, task: Task) -> int:
        """How many events the one log has of it."""
        topic = Topic.task(task.tenant, task.spec.codebase, task.id)
        log = self.desk.services.backend.log
        return len((await log.read(topic, await log.start())).records)


@asynccontextmanager
async def restored(place: Place, entries: Sequence[Entry]) -> AsyncIterator[Place]:
    """A desk with another store, into which a copy was put."""

    async def told() -> AsyncIterator[Entry]:
        for entry in entries:
            yield entry

    async with open_backend() as other:
        there = Place(Desk(services_over(other, place.desk.clock, place.blobs), place.desk.clock), place.blobs)  # type: ignore[arg-type]
        await there.desk.services.restoring.restore(TENANT, told())
        yield there


@pytest.fixture
async def place(backend: Backend, clock: FakeClock) -> Place:
    blobs = MemoryBlobs()
    return Place(Desk(services_over(backend, clock, blobs), clock), blobs)  # type: ignore[arg-type]


async def test_what_is_forgotten_is_filed_first_and_reads_the_same(place: Place) -> None:
    """To the byte, counted and paged, with odd text in it."""
    texts = [f'{n} "é"\n,"data":\u2028' for n in range(250)]
    task = await place.printed(*texts)
    before = await place.lines(task)
    assert [line["number"] for line in before] == [*range(1, len(before) + 1)]
    await place.forget()
    assert await place.live(task) == 0
    found = await place.desk.get(task.id)
    assert [(each.first, each.last, each.outputs) for each in found.log] == [(1, len(before), 250)]
    assert await place.lines(task) == before
    assert await place.desk.services.task_logs.count(found) == 250
    assert await place.output(task, limit=1000) == texts
    assert await place.output(task, offset=247) == texts[247:]
    assert await place.output(task, offset=10, limit=3) == texts[10:13]
    assert await place.output(task, offset=10, size=1) == texts[10:11]
    assert await place.output(task, offset=250) == await place.output(task, offset=10_000) == []


async def test_a_task_that_goes_on_is_filed_bit_by_bit(place: Place) -> None:
    """Each event once, whether it is filed, in the one log, or still in both."""
    task = await place.printed("a", "b", ended=False)
    await place.forget()
    task, word = await place.desk.claimed(task)
    reporting = place.desk.services.reporting
    await reporting.output(TENANT, word, task.id, [OutputChunk(text="c"), OutputChunk(text="d")], first=0)
    assert await place.output(task) == ["a", "b", "c", "d"]
    assert await place.output(task, offset=1, limit=2) == ["b", "c"]
    assert await place.output(task, offset=3) == ["d"]
    task_logs = place.desk.services.task_logs
    await task_logs.file((await place.desk.services.backend.log.oldest(place.desk.clock.now() + DAY, 100)).records)
    assert len((await place.desk.get(task.id)).log) == 2
    assert await place.live(task) > 0
    assert await place.output(task) == ["a", "b", "c", "d"]
    assert await place.output(task, offset=3) == ["d"]
    assert await task_logs.count(await place.desk.get(task.id)) == 4
    await reporting.complete(TENANT, word, task.id, "done", chunks=[OutputChunk(text="e")], first=2)
    await place.forget()
    assert await place.output(task) == ["a", "b", "c", "d", "e"]
    assert [line["number"] for line in await place.lines(task)] == [*range(1, len(await place.lines(task)) + 1)]
    assert len((await place.desk.get(task.id)).log) == 3


async def test_a_log_that_is_filed_while_it_is_read(place: Place) -> None:
    """Whoever looked at the task before that misses nothing, at the beginning or in the middle of it."""
    logs = place.desk.services.task_logs
    task = await place.printed(*"abc", ended=False)
    before = await place.lines(task)
    early = await place.desk.get(task.id)
    await place.forget()
    assert [json.loads(line) async for line in logs.lines(early)] == before
    assert await logs.count(early) == 3
    found = await logs.output(early, offset=1, limit=10, size=2**20)
    assert [json.loads(record.body)["output"] for record in found] == ["b", "c"]
    task, word = await place.desk.claimed(task)
    await place.desk.services.reporting.output(TENANT, word, task.id, [OutputChunk(text="d")], first=0)
    later, source = await place.lines(task), logs.lines(await place.desk.get(task.id))
    numbers = [json.loads(await anext(source))["number"] for _ in before]
    await place.forget()
    numbers += [json.loads(line)["number"] async for line in source]
    assert numbers == [line["number"] for line in later] == [*range(1, len(later) + 1)]


async def test_two_replicas_file_a_log_once(place: Place, backend: Backend) -> None:
    task = await place.printed(*"abc")
    other = services_over(backend, place.desk.clock, place.blobs)  # type: ignore[arg-type]
    place.desk.advance(2 * DAY)
    await asyncio.gather(place.desk.services.maintenance.forget(), other.maintenance.forget())
    assert len((await place.desk.get(task.id)).log) == 1
    assert await place.output(task) == ["a", "b", "c"]
    assert len(await place.blobs.list(TENANT)) == 1


async def test_nothing_is_forgotten_while_nothing_can_be_filed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    task = await place.printed(*"abc")

    async def away(*_: object) -> None:
        raise Unavailable("The store of blobs does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(place.blobs, "put", away)
        with pytest.raises(Unavailable):
            await place.forget()
        assert await place.output(task) == ["a", "b", "c"]
    await place.forget()
    assert await place.live(task) == 0
    assert await place.output(task) == ["a", "b", "c"]


async def test_without_a_place_for_it_the_log_is_forgotten(backend: Backend, clock: FakeClock) -> None:
    place = Place(Desk(services_over(backend, clock, None), clock), MemoryBlobs())  # type: ignore[arg-type]
    task = await place.printed(*"abc")
    await place.forget()
    assert (await place.output(task), (await place.desk.get(task.id)).log) == ([], ())


async def test_a_copy_has_what_was_filed(place: Place) -> None:
    """Of a task that has ended as a blob; of one that goes on as events, so that the new log numbers on from them."""
    ended = await place.printed(*"abc")
    waiting = await place.printed(*"xyz", ended=False)
    await place.forget()
    entries = [entry async for entry in place.desk.services.archiving.copy(TENANT)]

    async with restored(place, entries) as there:
        assert await there.output(ended) == ["a", "b", "c"]
        assert await there.live(ended) == 0
        assert await there.output(waiting) == ["x", "y", "z"]
        assert (await there.desk.get(waiting.id)).log == ()
        task, word = await there.desk.claimed(await there.desk.get(waiting.id))
        await there.desk.services.reporting.complete(TENANT, word, task.id, "done")
        numbers = [line["number"] for line in await there.lines(task)]
        assert numbers == [*range(1, len(numbers) + 1)]
        assert (await there.desk.get(task.id)).state is TaskState.COMPLETED


@pytest.mark.parametrize("before", ["the log", "its end"])
async def test_a_copy_has_what_was_forgotten_meanwhile(place: Place, before: str) -> None:
    """A log that is trimmed between the copy of a task and that of its events, or in the middle of them."""
    first, second = await place.printed(*"abc"), await place.printed(*"xyz")
    archiving = place.desk.services.archiving
    entries: list[Entry] = []
    seen = {"the log": "task", "its end": "event"}[before]
    async for entry in archiving.copy(TENANT):
        entries.append(entry)
        if [each.kind for each in entries].count(seen) == 2:
            await place.forget()

    async with restored(place, entries) as there:
        for task, texts in ((first, "abc"), (second, "xyz")):
            assert await there.output(task) == [*texts]
            assert [line["number"] for line in await there.lines(task)] == [*range(1, 7)]
