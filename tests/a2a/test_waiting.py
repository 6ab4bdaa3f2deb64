"""Waiting for a task, while the store comes and goes, and while much happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from attrs import define, evolve, field

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.following import topic_of
from codetether_adapters.a2a.request import Request
from codetether_adapters.a2a.waiting import settled
from codetether_core.access import DEFAULT_TENANT, Principal
from codetether_core.errors import Unavailable
from codetether_core.ids import TaskId, TenantId
from codetether_core.services import RolePolicy
from codetether_core.tasks import Task, TaskState
from tests.a2a.hub import Hub

pytestmark = pytest.mark.anyio


@define(eq=False)
class Around:
    """A backend whose tasks are these."""

    backend: Any
    tasks: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)


@define(eq=False)
class Tasks:
    """Those of a store that is away whenever ``away`` says so of a look at them."""

    tasks: Any
    away: Callable[[int], bool] = lambda look: False
    looks: int = 0
    looked: asyncio.Event = field(factory=asyncio.Event)

    async def get(self, tenant: TenantId, id: TaskId) -> Task:
        self.looks += 1
        self.looked.set()
        if self.away(self.looks):
            raise Unavailable("The store does not answer")
        found: Task = await self.tasks.get(tenant, id)
        return found


@asynccontextmanager
async def _attended(leave: Callable[[], None]) -> AsyncIterator[None]:
    yield


REQUEST = Request(principal=Principal(name="alice"), attended=_attended, note=lambda operation: None)


def agent_of(hub: Hub, tasks: Tasks, beat: timedelta) -> Agent:
    services = hub.api.services
    cards: Any = None
    backend: Any = Around(services.backend, tasks)
    return Agent(services=evolve(services, backend=backend), authorizer=RolePolicy(), cards=cards, beat=beat)


async def test_while_the_store_is_away_nobody_stops_waiting(hub: Hub) -> None:
    run = await hub.begin()
    kept = hub.api.services.backend.tasks
    task = await kept.get(DEFAULT_TENANT, TaskId(run.id))
    await run.end(result="r")
    tasks = Tasks(kept, lambda look: look < 3)
    found = await settled(agent_of(hub, tasks, timedelta(milliseconds=1)), REQUEST, task)
    assert (found.state, tasks.looks) == (TaskState.COMPLETED, 3)


async def test_who_waits_looks_no_more_often_than_need_be(hub: Hub) -> None:
    """A bell that is rung again and again is worth a pause."""
    run = await hub.begin()
    kept, notifier = hub.api.services.backend.tasks, hub.api.services.backend.notifier
    task = await kept.get(DEFAULT_TENANT, TaskId(run.id))
    tasks, before = Tasks(kept), hub.api.clock.moment
    waiting = asyncio.create_task(settled(agent_of(hub, tasks, timedelta(seconds=15)), REQUEST, task))
    for _ in range(4):
        await tasks.looked.wait()
        tasks.looked.clear()
        await notifier.notify([topic_of(task)])
    await run.end(result="r")
    assert (await waiting).state is TaskState.COMPLETED
    assert hub.api.clock.moment - before >= 3 * timedelta(milliseconds=20)
