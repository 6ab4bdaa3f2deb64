"""Where tasks are kept: compare and swap, and three questions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from attrs import frozen

from codetether_core.approvals import Approval
from codetether_core.events import Event
from codetether_core.ids import CodebaseId, TaskId, TenantId, WorkerId
from codetether_core.tasks import Lane, Task, TaskState

__all__ = ["ApprovalChange", "TaskQuery", "TaskStore"]


@frozen
class ApprovalChange:
    """An approval that is asked (``old`` is ``None``) or swapped together with its task."""

    old: Approval | None
    new: Approval


@frozen(kw_only=True)
class TaskQuery:
    """Which tasks to list: every condition that is given must hold. ``newest`` orders by creation, latest first;
    otherwise it is priority, highest first, then creation. ``after`` skips that many.
    """

    codebase: CodebaseId | None = None
    states: frozenset[TaskState] | None = None
    worker: WorkerId | None = None
    newest: bool = False
    limit: int = 100
    after: int = 0


class TaskStore(Protocol):
    """Tasks, each with the approvals it awaits. It holds no rule: it compares versions, swaps, and keeps indexes.

    Every write takes its ``events`` into the log in the same transaction, wakes the readers of their topics after
    the commit, and wakes ``Topic(tenant, READY)`` when the new value is ``ready``. Commit and wake-up are shielded
    from the caller's cancellation. All methods raise ``Unavailable`` when the store does not answer.
    """

    async def add(self, task: Task, events: Sequence[Event] = ()) -> None:
        """Keep a new task; ``AlreadyExists`` if its id is taken, and nothing is changed."""
        ...

    async def get(self, tenant: TenantId, id: TaskId) -> Task:
        """The task as it is; ``NotFound``, also for another tenant's."""
        ...

    async def replace(
        self,
        old: Task,
        new: Task,
        events: Sequence[Event] = (),
        *,
        approvals: Sequence[ApprovalChange] = (),
        op: str = "",
    ) -> None:
        """Write ``new`` if the version is still ``old.version``, and each approval if its is; else ``VersionConflict``.

        ``op`` names this very operation: if it is the one that wrote the present value (the reply to an earlier try
        was lost), nothing is written and the call succeeds.
        """
        ...

    async def lanes(self, tenant: TenantId, *, after: str = "", limit: int) -> Sequence[Lane]:
        """Lanes that have a ready task, in order of their keys, beginning after that key.

        The cost grows with the number of lanes that are returned, not with that of the others or of their tasks.
        """
        ...

    async def ready(self, lanes: Collection[Lane], limit: int) -> Sequence[Task]:
        """Of each lane up to ``limit`` ready tasks, best first: priority, highest first, then creation, then id.

        A hint: a task may be gone when it is claimed.
        """
        ...

    async def overdue(self, now: datetime, limit: int) -> Sequence[Task]:
        """Tasks of all tenants with ``due_at <= now``, the most overdue first."""
        ...

    async def next_due(self) -> datetime | None:
        """The earliest ``due_at`` there is."""
        ...

    async def list(self, tenant: TenantId, query: TaskQuery) -> Sequence[Task]:
        """A page of the tasks that match; ``worker`` matches the last grant's."""
        ...

    async def count(self, tenant: TenantId) -> dict[TaskState, int]:
        """How many tasks there are in each state; states without any may be left out."""
        ...

    async def held(self, tenant: TenantId, worker: WorkerId) -> Sequence[Task]:
        """The running and input_required tasks whose honoured grant is this worker's."""
        ...
