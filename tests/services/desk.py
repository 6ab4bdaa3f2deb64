"""All services over the memory backend, with a clock that is told the time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from attrs import frozen

from codetether_adapters.memory.backend import open_backend
from codetether_core.access import Principal
from codetether_core.ids import TaskId, WorkerId
from codetether_core.services import Services, assemble
from codetether_core.tasks import GLOBAL, Task, TaskSpec, Word
from tests.http.resources.world import CountingDice, FakeClock

__all__ = ["BOT", "OTHER", "TENANT", "USER", "Desk", "open_desk"]

USER = Principal(name="alice", roles=frozenset({"editor"}))
BOT = Principal(name="bot", roles=frozenset({"worker"}))
OTHER = Principal(name="other", roles=frozenset({"worker"}))
TENANT = USER.tenant


@frozen
class Desk:
    """The services, and short ways to a task in some state."""

    services: Services
    clock: FakeClock

    async def submitted(self, **spec: object) -> Task:
        """A pending task."""
        wanted = {"codebase": GLOBAL, "title": "t", "prompt": "p", **spec}
        return await self.services.submission.submit(USER, TaskSpec(**wanted))  # type: ignore[arg-type]

    async def claimed(
        self, task: Task, *, worker: str = "w1", tokened: bool = True, key: str = ""
    ) -> tuple[Task, Word]:
        """The task in the worker's hands, and its word."""
        id = WorkerId(worker)
        task = await self.services.claiming.claim(BOT, id, task.id, tokened=tokened, key=key)
        token = task.grant.token if tokened and task.grant else None
        return task, Word(worker=id, principal=BOT.name, token=token)

    async def get(self, id: TaskId) -> Task:
        """The task as it is stored."""
        return await self.services.backend.tasks.get(TENANT, id)

    def advance(self, duration: timedelta) -> None:
        """Let time pass."""
        self.clock.at += duration


@asynccontextmanager
async def open_desk() -> AsyncIterator[Desk]:
    """A new desk."""
    async with open_backend("memory://") as backend:
        clock = FakeClock()
        yield Desk(assemble(backend, clock, CountingDice(), key=b"k" * 32), clock)
