"""A task store behind faults."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from codetether_adapters.faults.dice import Faults
from codetether_core.events import Event
from codetether_core.ids import TaskId, TenantId, WorkerId
from codetether_core.ports import ApprovalChange, TaskQuery, TaskStore
from codetether_core.tasks import Lane, Task, TaskState

__all__ = ["FaultyTasks"]


class FaultyTasks:
    """Every method as the store has it, if the dice allow (a ``TaskStore``)."""

    def __init__(self, store: TaskStore, faults: Faults) -> None:
        self._store = store
        self._faults = faults

    async def add(self, task: Task, events: Sequence[Event] = ()) -> None:
        await self._faults(lambda: self._store.add(task, events))

    async def get(self, tenant: TenantId, id: TaskId) -> Task:
        return await self._faults(lambda: self._store.get(tenant, id))

    async def replace(
        self,
        old: Task,
        new: Task,
        events: Sequence[Event] = (),
        *,
        approvals: Sequence[ApprovalChange] = (),
        op: str = "",
    ) -> None:
        await self._faults(lambda: self._store.replace(old, new, events, approvals=approvals, op=op))

    async def remove(self, old: Task, events: Sequence[Event] = ()) -> None:
        await self._faults(lambda: self._store.remove(old, events))

    async def lanes(self, tenant: TenantId, *, after: str = "", limit: int) -> Sequence[Lane]:
        return await self._faults(lambda: self._store.lanes(tenant, after=after, limit=limit))

    async def ready(self, lanes: Collection[Lane], limit: int) -> Sequence[Task]:
        return await self._faults(lambda: self._store.ready(lanes, limit))

    async def overdue(self, now: datetime, limit: int) -> Sequence[Task]:
        return await self._faults(lambda: self._store.overdue(now, limit))

    async def next_due(self) -> datetime | None:
        return await self._faults(self._store.next_due)

    async def list(self, tenant: TenantId, query: TaskQuery) -> Sequence[Task]:
        return await self._faults(lambda: self._store.list(tenant, query))

    async def total(self, tenant: TenantId, query: TaskQuery) -> int:
        return await self._faults(lambda: self._store.total(tenant, query))

    async def count(self, tenant: TenantId) -> dict[TaskState, int]:
        return await self._faults(lambda: self._store.count(tenant))

    async def held(self, tenant: TenantId, worker: WorkerId) -> Sequence[Task]:
        return await self._faults(lambda: self._store.held(tenant, worker))
