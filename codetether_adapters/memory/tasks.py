"""Tasks in memory, with an index of what is ready by lane and one of what is due."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeAlias

from attrs import evolve

from codetether_adapters.memory.approvals import MemoryApprovals
from codetether_adapters.memory.changed import Changed
from codetether_adapters.memory.log import MemoryLog
from codetether_adapters.memory.ordered import Ordered
from codetether_adapters.memory.webhooks import MemoryWebhooks
from codetether_adapters.tail import Entry, encoded
from codetether_core.errors import AlreadyExists, NotFound, VersionConflict
from codetether_core.events import READY, Event, Topic
from codetether_core.ids import TaskId, TenantId, WorkerId
from codetether_core.ports import ApprovalChange, TaskOrder, TaskQuery
from codetether_core.tasks import Lane, Task, TaskState, lane_of

__all__ = ["MemoryTasks"]

_Rank: TypeAlias = tuple[int, datetime, TaskId]


class MemoryTasks:
    """All tasks of one memory (a ``TaskStore``); ``tasks`` is shared with the log, which looks at the fences."""

    def __init__(
        self, tasks: dict[TaskId, Task], approvals: MemoryApprovals, webhooks: MemoryWebhooks, log: MemoryLog
    ) -> None:
        self._tasks = tasks
        self._approvals = approvals
        self._webhooks = webhooks
        self._log = log
        self._operations: dict[TaskId, str] = {}
        self._ready: dict[Lane, Ordered[_Rank]] = {}
        self._lanes: defaultdict[TenantId, Ordered[tuple[str, Lane]]] = defaultdict(Ordered)
        self._due: Ordered[tuple[datetime, TaskId]] = Ordered()
        self._changed = Changed()

    async def add(self, task: Task, events: Sequence[Event] = ()) -> None:
        """Keep it under its id, which is unique over all tenants."""
        entries = encoded(events)
        if task.id in self._tasks or self._log.knows(Topic.task(task.tenant, task.spec.codebase, task.id)):
            raise AlreadyExists("task", task.id)
        self._changed.add(task)
        self._write(task, entries)

    async def get(self, tenant: TenantId, id: TaskId) -> Task:
        """Look it up."""
        task = self._tasks.get(id)
        if task is None or task.tenant != tenant:
            raise NotFound("task", id)
        return task

    async def replace(
        self,
        old: Task,
        new: Task,
        events: Sequence[Event] = (),
        *,
        approvals: Sequence[ApprovalChange] = (),
        op: str = "",
    ) -> None:
        """Compare, then swap."""
        entries = encoded(events)
        if old.id in self._tasks and op and self._operations.get(old.id) == op:
            return
        present = self._compare(old)
        self._approvals.swap(approvals)
        self._unfile(present)
        self._changed.move(present, new)
        self._operations[new.id] = op
        self._write(new, entries)

    async def remove(self, old: Task, events: Sequence[Event] = ()) -> None:
        """Compare, then forget."""
        entries = encoded(events)
        present = self._compare(old)
        self._unfile(present)
        self._changed.remove(present)
        del self._tasks[old.id]
        self._operations.pop(old.id, None)
        self._approvals.forget(old.tenant, old.id)
        self._webhooks.forget(old.tenant, present.spec.codebase, old.id)
        self._log.forget_output(old.id)
        self._log.commit(entries)

    async def lanes(self, tenant: TenantId, *, after: str = "", limit: int) -> Sequence[Lane]:
        """The lanes that have an index, a stretch of them."""
        return [lane for _, lane in self._lanes[tenant].after(after, limit)]

    async def ready(self, lanes: Collection[Lane], limit: int) -> Sequence[Task]:
        """The head of each lane's index."""
        filed = [self._ready[lane] for lane in lanes if lane in self._ready]
        return [self._tasks[id] for ranks in filed for _, _, id in ranks.first(limit)]

    async def overdue(self, now: datetime, limit: int) -> Sequence[Task]:
        """The head of the index of what is due."""
        return [self._tasks[id] for _, id in self._due.until(now, limit)]

    async def next_due(self) -> datetime | None:
        """The first of them."""
        return next((moment for moment, _ in self._due.first(1)), None)

    async def list(self, tenant: TenantId, query: TaskQuery) -> Sequence[Task]:
        """In the order of change by its index; in another one look at all that are in the index, and sort them."""
        matching = self._matching(tenant, query)
        if query.order is TaskOrder.NEWEST:
            matching = iter(sorted(matching, key=_age, reverse=True))
            if query.beyond is not None:
                matching = (task for task in matching if _age(task) < query.beyond)
        elif query.order is TaskOrder.PRIORITY:
            matching = iter(sorted(matching, key=_rank))
        return [*islice(matching, query.after, query.after + query.limit)]

    async def total(self, tenant: TenantId, query: TaskQuery) -> int:
        """By the index, where it knows all that is asked for."""
        counted = self._changed.count(tenant, query)
        return sum(1 for _ in self._matching(tenant, evolve(query, beyond=None))) if counted is None else counted

    async def count(self, tenant: TenantId) -> dict[TaskState, int]:
        """Look at all of them."""
        return Counter(task.state for task in self._tasks.values() if task.tenant == tenant)

    async def held(self, tenant: TenantId, worker: WorkerId) -> Sequence[Task]:
        """Look at all of them."""
        return [
            task
            for task in self._tasks.values()
            if task.tenant == tenant
            and task.state in (TaskState.RUNNING, TaskState.INPUT_REQUIRED)
            and task.holder is not None
            and task.holder.worker == worker
        ]

    def _compare(self, old: Task) -> Task:
        present = self._tasks.get(old.id)
        if present is None or (present.tenant, present.version) != (old.tenant, old.version):
            raise VersionConflict("The task was changed meanwhile", id=old.id)
        return present

    def _matching(self, tenant: TenantId, query: TaskQuery) -> Iterator[Task]:
        """In the order of change, if that is asked for."""
        return filter(query.matches, (self._tasks[id] for id in self._changed.walk(tenant, query)))

    def _write(self, task: Task, entries: Sequence[Entry]) -> None:
        self._tasks[task.id] = task
        if task.ready:
            lane = lane_of(task.tenant, task.spec)
            if lane not in self._ready:
                self._ready[lane] = Ordered()
                self._lanes[task.tenant].add((lane.key, lane))
            self._ready[lane].add(_rank(task))
        if task.due_at is not None:
            self._due.add((task.due_at, task.id))
        self._log.commit(entries, [Topic(task.tenant, READY)] if task.ready else [])

    def _unfile(self, task: Task) -> None:
        if task.ready:
            lane = lane_of(task.tenant, task.spec)
            self._ready[lane].remove(_rank(task))
            if not self._ready[lane]:
                del self._ready[lane]
                self._lanes[task.tenant].remove((lane.key, lane))
        if task.due_at is not None:
            self._due.remove((task.due_at, task.id))


def _age(task: Task) -> tuple[datetime, TaskId]:
    return task.created_at, task.id


def _rank(task: Task) -> _Rank:
    return -task.spec.priority, task.created_at, task.id
