"""What a task store must answer, worked out of a dictionary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from codetether_core.approvals import Approval
from codetether_core.errors import NotFound
from codetether_core.events import Cursor, Event, Topic
from codetether_core.ids import ApprovalId, TaskId, TenantId, WorkerId
from codetether_core.ports import ApprovalChange, Backend, TaskQuery
from codetether_core.tasks import Lane, Task, TaskState, change, lane_of
from contracts.ports.harness import insist, raises
from contracts.ports.samples import OTHER_TENANT, TENANT

__all__ = ["ALL", "HOLDING", "TENANTS", "WORKERS", "Model", "events_of"]

ALL: Final = 1000
HOLDING: Final = (TaskState.RUNNING, TaskState.INPUT_REQUIRED)
TENANTS: Final = (TENANT, OTHER_TENANT)
WORKERS: Final = (WorkerId("w1"), WorkerId("w2"))


def events_of(old: Task | None, new: Task) -> list[Event]:
    """What the log is told of a swap."""
    event = change(old, new)
    return [] if event is None else [event]


def _rank(task: Task) -> tuple[int, datetime, TaskId]:
    """Best first."""
    return -task.spec.priority, task.created_at, task.id


class Model:
    """The tasks, their approvals, and what the log was told since ``cursor``."""

    def __init__(self, cursor: Cursor) -> None:
        self.tasks: dict[TaskId, Task] = {}
        self.approvals: dict[ApprovalId, Approval] = {}
        self.erased: dict[TaskId, Task] = {}
        self.expected: list[Event] = []
        self._numbers: Counter[Topic] = Counter()
        self._cursor = cursor

    def swap(self, task: Task, changes: Sequence[ApprovalChange], events: Sequence[Event]) -> None:
        """Take note of a write."""
        self.tasks[task.id] = task
        self.approvals |= {change.new.id: change.new for change in changes}
        self.expected += events

    def erase(self, task: Task, events: Sequence[Event]) -> None:
        """Take note that a task is no more."""
        self.erased[task.id] = self.tasks.pop(task.id)
        self.approvals = {id: asked for id, asked in self.approvals.items() if asked.task != task.id}
        self.expected += events

    def where(self, condition: Callable[[Task], bool]) -> list[Task]:
        """The tasks of which this is true."""
        return [task for task in self.tasks.values() if condition(task)]

    async def compare(self, backend: Backend, now: datetime) -> None:
        """Ask the store everything that there is to ask."""
        store = backend.tasks
        due = sorted((task.due_at, task.id) for task in self.tasks.values() if task.due_at is not None)
        overdue = [self.tasks[id] for moment, id in due if moment <= now]
        assert [*await insist(lambda: store.overdue(now, ALL))] == overdue
        assert await insist(store.next_due) == next((moment for moment, _ in due), None)
        for task in self.tasks.values():
            assert await insist(lambda: store.get(task.tenant, task.id)) == task  # noqa: B023 - awaited at once
        for task in self.erased.values():
            await raises(NotFound, insist(lambda: store.get(task.tenant, task.id)))  # noqa: B023 - awaited at once
        for tenant in TENANTS:
            await self._compare_tenant(backend, tenant)
        await self._compare_log(backend)

    async def _compare_tenant(self, backend: Backend, tenant: TenantId) -> None:
        store = backend.tasks
        tasks = sorted((task for task in self.tasks.values() if task.tenant == tenant), key=_rank)
        assert [*await insist(lambda: store.list(tenant, TaskQuery(limit=ALL)))] == tasks
        counted = await insist(lambda: store.count(tenant))
        assert Counter(counted) == Counter(task.state for task in tasks)
        lanes: dict[Lane, list[Task]] = {}
        for task in tasks:
            if task.ready:
                lanes.setdefault(lane_of(tenant, task.spec), []).append(task)
        present = await insist(lambda: store.lanes(tenant, limit=ALL))
        assert len(present) == len(lanes) and {*present} == lanes.keys()
        for lane, ready in lanes.items():
            assert [*await insist(lambda: store.ready([lane], ALL))] == ready  # noqa: B023 - awaited at once
        for worker in WORKERS:
            held = [task for task in tasks if _holds(worker, task)]
            found = await insist(lambda: store.held(tenant, worker))  # noqa: B023 - awaited at once
            assert sorted(found, key=_rank) == held
        asked = [approval for approval in self.approvals.values() if approval.tenant == tenant]
        asked.sort(key=lambda approval: (approval.created_at, approval.id), reverse=True)
        assert [*await insist(lambda: backend.approvals.list(tenant, limit=ALL))] == asked

    async def _compare_log(self, backend: Backend) -> None:
        """Read on from where the last step left off: exactly what was written since, once, in order."""
        pages = [await insist(lambda: backend.log.read(Topic(tenant), self._cursor)) for tenant in TENANTS]  # noqa: B023
        assert not any(page.more for page in pages), "a step writes less than a page"
        self._cursor = pages[0].cursor
        seen = sorted((record for page in pages for record in page.records), key=lambda record: record.position)
        assert [(record.topic, record.kind, record.at) for record in seen] == [
            (event.topic, event.kind, event.at) for event in self.expected
        ]
        for record in seen:
            self._numbers[record.topic] += 1
            assert record.number == self._numbers[record.topic], "a subject's numbers have no gaps"
        self.expected.clear()


def _holds(worker: WorkerId, task: Task) -> bool:
    return task.state in HOLDING and task.holder is not None and task.holder.worker == worker
