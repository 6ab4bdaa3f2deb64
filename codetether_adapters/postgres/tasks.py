"""Tasks in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import groupby

from codetether_adapters.postgres import task_queries as queries
from codetether_adapters.postgres import task_rows as rows
from codetether_adapters.postgres.connection import Row
from codetether_adapters.postgres.encoding import decoded, microseconds, moment
from codetether_adapters.postgres.operation import Operation, if_written
from codetether_adapters.postgres.queues import Queues
from codetether_adapters.postgres.reader import Overseer, Reader
from codetether_adapters.postgres.task_rows import TaskRow, task_of
from codetether_adapters.postgres.writer import Writer
from codetether_adapters.tail import Entry, encoded
from codetether_core.errors import AlreadyExists, NotFound, VersionConflict
from codetether_core.events import READY, Event, Topic
from codetether_core.ids import TaskId, TenantId, WorkerId
from codetether_core.ports import ApprovalChange, TaskQuery
from codetether_core.tasks import Lane, Task, TaskState

__all__ = ["PostgresTasks"]


class PostgresTasks:
    """All tasks of one database (a ``TaskStore``)."""

    def __init__(self, writer: Writer, reader: Reader, overseer: Overseer, queues: Queues) -> None:
        self._writer = writer
        self._reader = reader
        self._overseer = overseer
        self._queues = queues

    async def add(self, task: Task, events: Sequence[Event] = ()) -> None:
        """Insert it; ids are unique over all tenants."""
        entries = encoded(events)

        def settle(row: Row) -> Sequence[Entry]:
            if row != (True,):
                raise AlreadyExists("task", task.id)
            return entries

        await self._writer.write(
            Operation(
                tenant=task.tenant,
                sql=rows.ADD,
                values=TaskRow.of(task).added(),
                settle=settle,
                wake=_wake(task),
                row=_row(task.id),
            )
        )

    async def get(self, tenant: TenantId, id: TaskId) -> Task:
        """By primary key."""
        row = await self._reader.row(tenant, queries.GET, id, tenant)
        if row is None:
            raise NotFound("task", id)
        return task_of(*row)

    async def replace(
        self,
        old: Task,
        new: Task,
        events: Sequence[Event] = (),
        *,
        approvals: Sequence[ApprovalChange] = (),
        op: str = "",
    ) -> None:
        """Update the row that has the old version."""
        entries = encoded(events)
        row = TaskRow.of(new)
        if not entries and not approvals and not new.ready and _place(old) == _place(new):
            renewal = Operation(
                tenant=old.tenant,
                sql=rows.RENEW,
                values=row.renewed(old, op),
                settle=lambda row: (),
                row=_row(old.id),
                quiet=True,
            )
            # Whether the task stays in its place is for the row to say; our own copy only suggests what to try first.
            if await self._writer.write(renewal) == (True,):
                await self._queues.swapped(old, new)
                return

        def settle(answer: Row) -> Sequence[Entry]:
            swapped, present = answer
            if swapped:
                return entries
            if op and present == op:
                return ()
            raise VersionConflict("The task was changed meanwhile", id=old.id)

        sql, values = rows.MOVE, row.moved(old, op)
        if approvals:
            sql, values = rows.MOVE_WITH_APPROVALS, [*rows.changed_approvals(approvals), *values]
        await self._writer.write(
            Operation(tenant=old.tenant, sql=sql, values=values, settle=settle, wake=_wake(new), row=_row(old.id))
        )
        await self._queues.swapped(old, new)

    async def remove(self, old: Task, events: Sequence[Event] = ()) -> None:
        """Delete the row that has the old version, and what belongs to it."""
        changed = VersionConflict("The task was changed meanwhile", id=old.id)
        await self._writer.write(
            Operation(
                tenant=old.tenant,
                sql=rows.REMOVE,
                values=[old.id, old.tenant, old.version],
                settle=if_written(encoded(events), changed),
                row=_row(old.id),
            )
        )
        await self._queues.swapped(old, None)

    async def lanes(self, tenant: TenantId, *, after: str = "", limit: int) -> Sequence[Lane]:
        """By skipping from lane to lane through those that have queues."""
        found = await self._reader.rows(tenant, queries.LANES, after, tenant, tenant, limit, tenant)
        await self._queues.met(tenant, [key for key, body in found if body is None])
        return [_lane(body) for _, body in found if body is not None]

    async def ready(self, lanes: Collection[Lane], limit: int) -> Sequence[Task]:
        """The first ones of each lane's queues."""
        found: list[Task] = []
        for tenant, own in groupby(lanes, lambda lane: lane.tenant):
            keys = [lane.key for lane in own]
            found += _tasks(await self._reader.rows(tenant, queries.READY, [tenant] * len(keys), keys, limit, limit))
        return found

    async def overdue(self, now: datetime, limit: int) -> Sequence[Task]:
        """The head of the index of what is due."""
        return _tasks(await self._overseer.rows(queries.OVERDUE, microseconds(now), limit))

    async def next_due(self) -> datetime | None:
        """The first of them."""
        row = await self._overseer.row(queries.NEXT_DUE)
        return None if row is None else moment(row[0])

    async def list(self, tenant: TenantId, query: TaskQuery) -> Sequence[Task]:
        """By walking the index of each state that is asked for."""
        if query.states is not None and not query.states:
            return []
        sql, values = queries.listing(tenant, query)
        return _tasks(await self._reader.rows(tenant, sql, *values))

    async def total(self, tenant: TenantId, query: TaskQuery) -> int:
        """By the same walks."""
        if query.states is not None and not query.states:
            return 0
        sql, values = queries.counting(tenant, query)
        ((total,),) = await self._reader.rows(tenant, sql, *values)
        return int(total)

    async def count(self, tenant: TenantId) -> dict[TaskState, int]:
        """By an index alone."""
        counted = await self._reader.rows(tenant, queries.COUNT, tenant)
        return {TaskState(state): number for state, number in counted}

    async def held(self, tenant: TenantId, worker: WorkerId) -> Sequence[Task]:
        """By the index of workers."""
        return _tasks(await self._reader.rows(tenant, queries.HELD, tenant, worker, tenant, worker))


def _place(task: Task) -> tuple[str, TaskState, bool, WorkerId | None, datetime]:
    """Who may speak about a task, and where it is in the indexes."""
    return task.fence, task.state, task.ready, task.grant.worker if task.grant else None, task.since


def _row(id: TaskId) -> str:
    return f"task {id}"


def _wake(task: Task) -> Sequence[Topic]:
    return [Topic(task.tenant, READY)] if task.ready else []


def _tasks(found: Iterable[Row]) -> list[Task]:
    return [task_of(spec, body) for spec, body in found]


@lru_cache(maxsize=16_384)
def _lane(body: bytes) -> Lane:
    return decoded(Lane, body)
