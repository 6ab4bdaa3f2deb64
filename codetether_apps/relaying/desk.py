"""One tenant's tasks for agents elsewhere, taken as they are offered."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

import structlog
from attrs import define, field

from codetether_apps.holding.verdicts import Ending, Persistence
from codetether_apps.relaying.run import RelayedRun
from codetether_core.ids import TaskId, TenantId, WorkerId
from codetether_core.ports import Delegate
from codetether_core.services import Connection, Services
from codetether_core.tasks import Profile, Task, TaskState

__all__ = ["Desk"]

_SLOTS: Final = 64
_BEAT: Final = timedelta(seconds=15)
_LEAVING: Final = 10.0

_log = structlog.get_logger(__name__)


@define(eq=False, kw_only=True)
class Desk:
    """Takes what is for one of the agents that it ``serves``."""

    services: Services
    delegate: Delegate
    persistence: Persistence
    tenant: TenantId
    worker: WorkerId
    _names: frozenset[str] = field(default=frozenset(), init=False)
    _connection: Connection | None = field(default=None, init=False)
    _runs: dict[TaskId, RelayedRun] = field(factory=dict, init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set, init=False)

    def serves(self, names: frozenset[str]) -> None:
        """From now on these."""
        if names != self._names:
            self._names = names
            if self._connection is not None:
                self._connection.end()

    async def run(self) -> None:
        """Take what is offered, until cancelled. Runs go on without it, until we ``leave``."""
        while True:
            profile = Profile(worker=self.worker, tenant=self.tenant, names=self._names, relays=True)
            dispatch = self.services.dispatch
            with dispatch.connect(profile, name="relay", slots=_SLOTS, dedupes=False) as self._connection:
                await self._stay(self._connection)

    async def leave(self) -> None:
        """Give back what is under way: the agents go on, and whoever claims it next goes on with them."""
        for run in self._runs.values():
            run.end(Ending.DRAINED)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_LEAVING)
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _stay(self, connection: Connection) -> None:
        beat = min(_BEAT, self.services.terms.ttl / 4)
        await self.services.dispatch.occupy(connection)
        while not connection.ended:
            tasks = await connection.notices(beat)
            for task in tasks:
                self._hear(task)
            if not tasks:
                await self.services.dispatch.occupy(connection)

    def _hear(self, task: Task) -> None:
        known = self._runs.get(task.id)
        if task.state is TaskState.CANCELLED and known is not None:
            known.end(Ending.CANCELLED)
        elif task.state is TaskState.PENDING and known is None:
            run = self._runs[task.id] = RelayedRun(
                services=self.services,
                delegate=self.delegate,
                persistence=self.persistence,
                tenant=self.tenant,
                worker=self.worker,
                id=task.id,
            )
            started = asyncio.create_task(self._finish(run))
            self._tasks.add(started)
            started.add_done_callback(self._tasks.discard)

    async def _finish(self, run: RelayedRun) -> None:
        try:
            await run.run()
        except Exception:
            _log.exception("relay_lost", task_id=run.id)
        finally:
            del self._runs[run.id]
