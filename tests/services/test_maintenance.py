"""What the reaper does about the log."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from codetether_core.events import Cursor, Topic
from codetether_core.ports import Backend, TaskQuery
from codetether_core.services import assemble
from codetether_core.tasks import Task
from contracts.ports.samples import CODEBASE, NOW, TENANT, note
from tests.services.conftest import Dice, FakeClock
from tests.services.desk import open_desk

pytestmark = pytest.mark.anyio

TOPIC = Topic(TENANT, CODEBASE, "t")


async def test_what_is_too_old_is_forgotten_however_much_it_is(
    backend: Backend, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In small batches with sweeps in between, until nothing old is left; no minute passes."""
    services = assemble(backend, clock, Dice(), retention=timedelta(days=1))
    old = [note(TOPIC, at=NOW - timedelta(days=2)) for _ in range(12_500)]
    await backend.log.append([*old, note(TOPIC, "kept")])
    batches, done, taken = list[int](), asyncio.Event(), timedelta()
    trim = backend.log.trim

    async def counted(through: Cursor) -> int:
        nonlocal taken
        batches.append(await trim(through))
        if batches[-1]:
            taken = clock.now() - NOW
        if sum(batches) >= len(old):
            done.set()
        return batches[-1]

    monkeypatch.setattr(type(backend.log), "trim", lambda log, through: counted(through))
    running = asyncio.create_task(services.maintenance.run())
    await done.wait()
    running.cancel()
    assert max(batches) <= 1_000
    assert taken < timedelta(minutes=1)
    assert (await backend.log.latest(TOPIC, ["note"], 9))[0].body == b'{"text":"kept"}'


async def test_what_is_erased_amid_a_sweep_keeps_nobody_else_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_desk() as desk:
        start_by = desk.clock.now() + timedelta(minutes=1)
        tasks = [await desk.submitted(start_by=start_by) for _ in range(2)]
        desk.advance(timedelta(minutes=2))
        store = type(desk.services.backend.tasks)
        overdue = store.overdue

        async def erased_behind(self: Any, now: datetime, limit: int) -> Sequence[Task]:
            batch = await overdue(self, now, limit)
            if len(batch) == 2:
                await self.remove(batch[0])
            return batch

        monkeypatch.setattr(store, "overdue", erased_behind)
        assert (await desk.services.maintenance.sweep()).failed == 1
        (left,) = await desk.services.backend.tasks.list(tasks[0].tenant, TaskQuery())
        assert left.ended
