"""An index of tasks by when they came into their state: all of a tenant, those of a context, those of a creator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import merge
from itertools import chain
from typing import TypeAlias

from codetether_adapters.memory.ordered import Ordered
from codetether_core.ids import ContextId, TaskId, TenantId
from codetether_core.ports import TaskOrder, TaskQuery
from codetether_core.tasks import Task, TaskState

__all__ = ["Changed"]

_Whose: TypeAlias = tuple[TenantId, "ContextId | None", "str | None"]


class Changed:
    """For each of those, and each state, the tasks in order."""

    def __init__(self) -> None:
        self._filed: dict[tuple[_Whose, TaskState], Ordered[tuple[datetime, TaskId]]] = {}

    def add(self, task: Task) -> None:
        """File a task."""
        for whose in _whose(task):
            self._filed.setdefault((whose, task.state), Ordered()).add((task.since, task.id))

    def move(self, old: Task, new: Task) -> None:
        """File a task anew, where that says anything else."""
        if (old.state, old.since) == (new.state, new.since):
            return
        self.remove(old)
        self.add(new)

    def remove(self, task: Task) -> None:
        """File a task no more."""
        for whose in _whose(task):
            filed = self._filed[whose, task.state]
            filed.remove((task.since, task.id))
            if not filed:
                del self._filed[whose, task.state]

    def walk(self, tenant: TenantId, query: TaskQuery) -> Iterator[TaskId]:
        """Those that match, and maybe others; the latest first, if the query is in that order."""
        ordered = query.order is TaskOrder.CHANGED
        beyond = query.beyond if ordered else None
        walks = [filed.down(query.since, beyond) for filed in self._of(tenant, query)]
        return (id for _, id in (merge(*walks, reverse=True) if ordered else chain(*walks)))

    def count(self, tenant: TenantId, query: TaskQuery) -> int | None:
        """How many match; ``None`` where something is asked that the index does not know."""
        if query.codebase is not None or query.worker is not None or None not in (query.context, query.created_by):
            return None
        return sum(filed.count(query.since) for filed in self._of(tenant, query))

    def _of(self, tenant: TenantId, query: TaskQuery) -> Sequence[Ordered[tuple[datetime, TaskId]]]:
        whose = tenant, query.context, query.created_by if query.context is None else None
        states = TaskState if query.states is None else query.states
        return [self._filed[whose, state] for state in states if (whose, state) in self._filed]


def _whose(task: Task) -> Iterator[_Whose]:
    yield task.tenant, None, None
    yield task.tenant, None, task.created_by
    if task.spec.context is not None:
        yield task.tenant, task.spec.context, None
