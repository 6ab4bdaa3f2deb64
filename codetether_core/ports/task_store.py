"""Where tasks are kept: compare and swap, and three questions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from attrs import frozen

from codetether_core.approvals import Approval
from codetether_core.events import Event
from codetether_core.ids import CodebaseId, ContextId, TaskId, TenantId, WorkerId
from codetether_core.tasks import Lane, Task, TaskState

__all__ = ["ApprovalChange", "TaskOrder", "TaskQuery", "TaskStore"]


@frozen
class ApprovalChange:
    """An approval that is asked (``old`` is ``None``) or swapped together with its task."""

    old: Approval | None
    new: Approval


class TaskOrder(StrEnum):
    """In which order tasks are listed. Of those that are equal by it, the ids decide.

    ``PRIORITY`` has the highest first, then what was created first; ``NEWEST`` what was created last; ``CHANGED`` what
    has come into its state last.
    """

    PRIORITY = "priority"
    NEWEST = "newest"
    CHANGED = "changed"


@frozen(kw_only=True)
class TaskQuery:
    """Which tasks to list: every condition that is given must hold.

    ``worker`` is the last grant's; ``since`` leaves those that are in their state from that moment or a later one.
    ``after`` skips that many, ``beyond`` all down to a place in the order, whether a task is still there or not: its
    ``since`` and id in that of ``CHANGED``, when it was created and its id in that of ``NEWEST``. ``ValueError`` in
    another order, which has no such places.
    """

    codebase: CodebaseId | None = None
    states: frozenset[TaskState] | None = None
    worker: WorkerId | None = None
    context: ContextId | None = None
    created_by: str | None = None
    since: datetime | None = None
    order: TaskOrder = TaskOrder.PRIORITY
    limit: int = 100
    after: int = 0
    beyond: tuple[datetime, TaskId] | None = None

    def __attrs_post_init__(self) -> None:
        if self.beyond is not None and self.order is TaskOrder.PRIORITY:
            raise ValueError("the order of priority cannot be gone on with behind a place")

    def matches(self, task: Task) -> bool:
        """Whether all conditions hold of a task, wherever in the order it is."""
        return (
            (self.codebase is None or task.spec.codebase == self.codebase)
            and (self.states is None or task.state in self.states)
            and (self.worker is None or (task.grant is not None and task.grant.worker == self.worker))
            and (self.context is None or task.spec.context == self.context)
            and (self.created_by is None or task.created_by == self.created_by)
            and (self.since is None or task.since >= self.since)
        )


class TaskStore(Protocol):
    """Tasks, each with the approvals it awaits. It holds no rule: it compares versions, swaps, and keeps indexes.

    Every write takes its ``events`` into the log in the same transaction, wakes the readers of their topics after
    the commit, and wakes ``Topic(tenant, READY)`` when the new value is ``ready``. Commit and wake-up are shielded
    from the caller's cancellation. All methods raise ``Unavailable`` when the store does not answer.
    """

    async def add(self, task: Task, events: Sequence[Event] = ()) -> None:
        """Keep a new task; ``AlreadyExists`` if its id is taken, and nothing is changed.

        So it is where the log has ever had an event of that task: the id of one that was removed is not given again.
        """
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

    async def remove(self, old: Task, events: Sequence[Event] = ()) -> None:
        """Forget the task if the version is still ``old.version``; else ``VersionConflict``.

        With it go its approvals, its webhooks and the head of its output. What the log has of it goes if one of the
        events says so.
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
        """A page of the tasks that match.

        In the order of change it costs no more than its length, and what ``after`` skips, also of a context's or a
        creator's tasks; in another order of a context's no more than the context has.
        """
        ...

    async def total(self, tenant: TenantId, query: TaskQuery) -> int:
        """How many tasks match, whichever page is asked for."""
        ...

    async def count(self, tenant: TenantId) -> dict[TaskState, int]:
        """How many tasks there are in each state; states without any may be left out."""
        ...

    async def held(self, tenant: TenantId, worker: WorkerId) -> Sequence[Task]:
        """The running and input_required tasks whose honoured grant is this worker's."""
        ...
