"""Tasks and their approvals, whose words go through passages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from attrs import frozen

from codetether_adapters.protected.passage import Passage, inwards, outwards
from codetether_core.approvals import Approval, ApprovalState
from codetether_core.events import Event
from codetether_core.ids import ApprovalId, TaskId, TenantId, WorkerId
from codetether_core.ports import ApprovalChange, ApprovalStore, TaskQuery, TaskStore
from codetether_core.tasks import Lane, Task, TaskState

__all__ = ["ProtectedApprovals", "ProtectedTasks"]


@frozen
class ProtectedTasks:
    """Tasks (a ``TaskStore``)."""

    store: TaskStore
    passages: tuple[Passage, ...]

    async def add(self, task: Task, events: Sequence[Event] = ()) -> None:
        (kept,) = await inwards(self.passages, [task])
        await self.store.add(kept, await inwards(self.passages, events))

    async def get(self, tenant: TenantId, id: TaskId) -> Task:
        return (await outwards(self.passages, [await self.store.get(tenant, id)]))[0]

    async def replace(
        self,
        old: Task,
        new: Task,
        events: Sequence[Event] = (),
        *,
        approvals: Sequence[ApprovalChange] = (),
        op: str = "",
    ) -> None:
        """Of what is replaced a store looks at the version alone."""
        (kept,) = await inwards(self.passages, [new])
        if approvals:
            asked = await inwards(self.passages, [change.new for change in approvals])
            pairs = zip(approvals, asked, strict=True)
            approvals = [ApprovalChange(change.old, approval) for change, approval in pairs]
        events = await inwards(self.passages, events)
        await self.store.replace(old, kept, events, approvals=approvals, op=op)

    async def remove(self, old: Task, events: Sequence[Event] = ()) -> None:
        await self.store.remove(old, await inwards(self.passages, events))

    async def lanes(self, tenant: TenantId, *, after: str = "", limit: int) -> Sequence[Lane]:
        return await self.store.lanes(tenant, after=after, limit=limit)

    async def ready(self, lanes: Collection[Lane], limit: int) -> Sequence[Task]:
        return await outwards(self.passages, await self.store.ready(lanes, limit))

    async def overdue(self, now: datetime, limit: int) -> Sequence[Task]:
        return await outwards(self.passages, await self.store.overdue(now, limit))

    async def next_due(self) -> datetime | None:
        return await self.store.next_due()

    async def list(self, tenant: TenantId, query: TaskQuery) -> Sequence[Task]:
        return await outwards(self.passages, await self.store.list(tenant, query))

    async def total(self, tenant: TenantId, query: TaskQuery) -> int:
        return await self.store.total(tenant, query)

    async def count(self, tenant: TenantId) -> dict[TaskState, int]:
        return await self.store.count(tenant)

    async def held(self, tenant: TenantId, worker: WorkerId) -> Sequence[Task]:
        return await outwards(self.passages, await self.store.held(tenant, worker))


@frozen
class ProtectedApprovals:
    """Approvals (an ``ApprovalStore``)."""

    store: ApprovalStore
    passages: tuple[Passage, ...]

    async def get(self, tenant: TenantId, id: ApprovalId) -> Approval:
        return (await outwards(self.passages, [await self.store.get(tenant, id)]))[0]

    async def list(
        self,
        tenant: TenantId,
        *,
        task: TaskId | None = None,
        state: ApprovalState | None = None,
        limit: int = 100,
    ) -> Sequence[Approval]:
        return await outwards(self.passages, await self.store.list(tenant, task=task, state=state, limit=limit))
