"""A task as columns: its specification, which never changes, the rest, and what the indexes need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from attrs import frozen

from codetether_adapters.postgres.encoding import document, microseconds, plain
from codetether_adapters.tail import encode
from codetether_core.codec import dump, load
from codetether_core.ports import ApprovalChange
from codetether_core.tasks import Task, lane_of

__all__ = [
    "ADD",
    "COLUMNS",
    "MOVE",
    "MOVE_WITH_APPROVALS",
    "REMOVE",
    "RENEW",
    "TaskRow",
    "changed_approvals",
    "task_of",
]

COLUMNS: Final = (
    "id, tenant, lane, codebase, priority, created, context, created_by,"
    " version, op, fence, state, ready, worker, since, due, spec, body"
)

ADD: Final = f"""
WITH added AS (
    INSERT INTO tasks ({COLUMNS})
    SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s
    WHERE NOT EXISTS (SELECT FROM subjects WHERE tenant = %s AND scope = %s AND subject = %s)
    ON CONFLICT DO NOTHING RETURNING tenant, lane
), filed AS (
    INSERT INTO lanes (tenant, lane, body) SELECT tenant, lane, %s FROM added ON CONFLICT DO NOTHING
)
SELECT EXISTS (SELECT FROM added)
"""  # noqa: S608

_SWAPPED: Final = "version = %s, op = %s, fence = %s, due = %s, body = %s"
_PLACED: Final = "state = %s, ready = %s, worker = %s, since = %s"
_IDENTITY: Final = "id = %s AND tenant = %s AND version = %s"
_ANSWER: Final = "SELECT EXISTS (SELECT FROM swapped), (SELECT op FROM tasks WHERE id = %s AND tenant = %s)"

RENEW: Final = f"""
WITH swapped AS (
    UPDATE tasks SET {_SWAPPED} WHERE {_IDENTITY}
    AND fence = %s AND state = %s AND ready = %s AND worker IS NOT DISTINCT FROM %s AND since = %s AND due <= %s
    RETURNING id
)
SELECT EXISTS (SELECT FROM swapped)
"""  # noqa: S608
"""A swap that leaves the task with its holder, and where it is in all indexes but the one of what is due: not sooner
than before, for that takes the log's lock."""

MOVE: Final = f"""
WITH swapped AS (UPDATE tasks SET {_SWAPPED}, {_PLACED} WHERE {_IDENTITY} RETURNING id)
{_ANSWER}
"""  # noqa: S608
"""Any swap; besides, the operation that wrote what was there before."""

MOVE_WITH_APPROVALS: Final = f"""
WITH change AS (
    SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bigint[],
        %s::bytea[]) AS change (tenant, id, old, version, task, state, created, body)
), misfit AS (
    SELECT FROM change LEFT JOIN approvals USING (tenant, id) WHERE approvals.version IS DISTINCT FROM change.old
), swapped AS (
    UPDATE tasks SET {_SWAPPED}, {_PLACED} WHERE {_IDENTITY} AND NOT EXISTS (SELECT FROM misfit) RETURNING id
), written AS (
    INSERT INTO approvals (tenant, id, version, task, state, created, body)
    SELECT tenant, id, version, task, state, created, body FROM change WHERE EXISTS (SELECT FROM swapped)
    ON CONFLICT (tenant, id) DO UPDATE SET version = excluded.version, state = excluded.state, body = excluded.body
)
{_ANSWER}
"""  # noqa: S608
"""The same, if every approval has its old version, or is missing where none is expected; then they are written too."""

REMOVE: Final = """
WITH gone AS (
    DELETE FROM tasks WHERE id = %s AND tenant = %s AND version = %s RETURNING tenant, codebase, id
), unasked AS (
    DELETE FROM approvals USING gone WHERE (approvals.tenant, approvals.task) = (gone.tenant, gone.id)
), untold AS (
    DELETE FROM webhooks USING gone
    WHERE (webhooks.tenant, webhooks.codebase, webhooks.task) = (gone.tenant, gone.codebase, gone.id)
), unsaid AS (
    DELETE FROM output_heads USING gone WHERE (output_heads.tenant, output_heads.task) = (gone.tenant, gone.id)
)
SELECT TRUE FROM gone
"""
"""A task, and what goes with it."""


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

    def added(self) -> Sequence[Any]:
        """The values of ``ADD``: those of ``COLUMNS``, what its events would be under, and the lane's document."""
        task = self.task
        lane = lane_of(task.tenant, task.spec)
        identity = [task.id, task.tenant, lane.key, task.spec.codebase, task.spec.priority]
        origin = [microseconds(task.created_at), task.spec.context, task.created_by]
        state = [task.version, "", task.fence, *self._place, self._due]
        topic = [task.tenant, task.spec.codebase, task.id]
        return [*identity, *origin, *state, document(task.spec), self.body, *topic, document(lane)]

    def renewed(self, old: Task, op: str) -> Sequence[Any]:
        """The values of ``RENEW``."""
        return [*self._swapped(op), old.id, old.tenant, old.version, self.task.fence, *self._place, self._due]

    def moved(self, old: Task, op: str) -> Sequence[Any]:
        """The values of ``MOVE``, and the last ones of ``MOVE_WITH_APPROVALS``."""
        return [*self._swapped(op), *self._place, old.id, old.tenant, old.version, old.id, old.tenant]

    def _swapped(self, op: str) -> Sequence[Any]:
        return [self.task.version, op, self.task.fence, self._due, self.body]

    @property
    def _place(self) -> Sequence[Any]:
        task = self.task
        return [task.state, task.ready, task.grant.worker if task.grant else None, microseconds(task.since)]

    @property
    def _due(self) -> int | None:
        due = self.task.due_at
        return None if due is None else microseconds(due)


def changed_approvals(changes: Sequence[ApprovalChange]) -> Sequence[Any]:
    """The first values of ``MOVE_WITH_APPROVALS``."""
    new = [change.new for change in changes]
    return [
        [approval.tenant for approval in new],
        [approval.id for approval in new],
        [None if change.old is None else change.old.version for change in changes],
        [approval.version for approval in new],
        [approval.task for approval in new],
        [approval.state for approval in new],
        [microseconds(approval.created_at) for approval in new],
        [document(approval) for approval in new],
    ]


def task_of(spec: bytes, body: bytes) -> Task:
    """The task that was written as these two documents."""
    return load(Task, {**plain(body), "spec": plain(spec)})
