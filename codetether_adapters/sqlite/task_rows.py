"""A task as columns: its specification, which never changes, the rest, and what the indexes need."""

from __future__ import annotations

from attrs import frozen

from codetether_adapters.sqlite.encoding import document, microseconds, plain
from codetether_adapters.sqlite.reader import Row
from codetether_adapters.tail import encode
from codetether_core.codec import dump, load
from codetether_core.tasks import Task, lane_of

__all__ = ["ADD", "ADD_LANE", "ADD_SPEC", "FORGET", "KNOWN", "MOVE", "REMOVE", "RENEW", "TaskRow", "task_of"]

ADD = """
INSERT INTO tasks (
    id, tenant, lane, codebase, priority, created, context, created_by,
    version, op, fence, state, ready, worker, since, due, body
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
KNOWN = "SELECT 1 FROM subjects WHERE tenant = ? AND scope = ? AND subject = ?"
"""Whether there ever was an event of a task."""

ADD_SPEC = "INSERT INTO task_specs VALUES (?, ?)"
ADD_LANE = "INSERT OR IGNORE INTO lanes VALUES (?, ?)"

RENEW = (
    "UPDATE tasks SET version = ?, op = ?, fence = ?, due = ?, body = ?"
    " WHERE id = ? AND tenant = ? AND version = ? AND state = ? AND ready = ? AND worker IS ? AND since = ?"
)
"""A swap that leaves the task where it is in all indexes but the one of what is due."""

MOVE = (
    "UPDATE tasks SET version = ?, op = ?, fence = ?, due = ?, body = ?, state = ?, ready = ?, worker = ?, since = ?"
    " WHERE id = ? AND tenant = ? AND version = ?"
)
"""Any swap."""

REMOVE = "DELETE FROM tasks WHERE id = ? AND tenant = ? AND version = ?"
FORGET = (
    "DELETE FROM task_specs WHERE id = :id",
    "DELETE FROM output_heads WHERE task = :id",
    "DELETE FROM approvals WHERE tenant = :tenant AND task = :id",
    "DELETE FROM webhooks WHERE tenant = :tenant AND codebase = :codebase AND task = :id",
)
"""What goes with a task."""


@frozen
class TaskRow:
    """The columns of one version of a task."""

    task: Task
    body: bytes

    @classmethod
    def of(cls, task: Task) -> TaskRow:
        """Encode what a swap writes."""
        rest = dump(task)
        del rest["spec"]
        return cls(task, encode(rest))

    def added(self) -> Row:
        """The values of ``ADD``."""
        task = self.task
        return (
            task.id,
            task.tenant,
            lane_of(task.tenant, task.spec).key,
            task.spec.codebase,
            task.spec.priority,
            microseconds(task.created_at),
            task.spec.context,
            task.created_by,
            task.version,
            "",
            task.fence,
            *self._place,
            self._due,
            self.body,
        )

    def specified(self) -> Row:
        """The values of ``ADD_SPEC``."""
        return self.task.id, document(self.task.spec)

    def laned(self) -> Row:
        """The values of ``ADD_LANE``."""
        lane = lane_of(self.task.tenant, self.task.spec)
        return lane.key, document(lane)

    def renewed(self, old: Task, op: str) -> Row:
        """The values of ``RENEW``."""
        return *self._swapped(op), *self._identity(old), *self._place

    def moved(self, old: Task, op: str) -> Row:
        """The values of ``MOVE``."""
        return *self._swapped(op), *self._place, *self._identity(old)

    def _swapped(self, op: str) -> Row:
        return self.task.version, op, self.task.fence, self._due, self.body

    def _identity(self, old: Task) -> Row:
        return old.id, old.tenant, old.version

    @property
    def _place(self) -> Row:
        """Where it is in the indexes: state, readiness, worker, and since when."""
        task = self.task
        return task.state, task.ready, task.grant.worker if task.grant else None, microseconds(task.since)

    @property
    def _due(self) -> int | None:
        due = self.task.due_at
        return None if due is None else microseconds(due)


def task_of(spec: bytes, body: bytes) -> Task:
    """The task that was written as these two documents."""
    return load(Task, {**plain(body), "spec": plain(spec)})
