"""Tasks in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache, partial

from codetether_adapters.sqlite import task_queries as queries
from codetether_adapters.sqlite import task_rows as rows
from codetether_adapters.sqlite.approvals import swap_approval
from codetether_adapters.sqlite.cache import TaskCache
from codetether_adapters.sqlite.encoding import decoded, microseconds, moment
from codetether_adapters.sqlite.reader import Reader, Row
from codetether_adapters.sqlite.task_rows import TaskRow, task_of
from codetether_adapters.sqlite.transaction import Transaction
from codetether_adapters.sqlite.writer import Writer
from codetether_adapters.tail import encoded
from codetether_core.errors import AlreadyExists, NotFound, VersionConflict
from codetether_core.events import READY, Event, Topic
from codetether_core.ids import TaskId, TenantId, WorkerId
from codetether_core.ports import ApprovalChange, TaskQuery
from codetether_core.tasks import Lane, Task, TaskState

__all__ = ["SqliteTasks"]


class SqliteTasks:
    """All tasks of one file (a ``TaskStore``)."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader
        self._cache = TaskCache()

    async def add(self, task: Task, events: Sequence[Event] = ()) -> None:
        """Insert it; ids are unique over all tenants."""
        entries = encoded(events)
        row = TaskRow.of(task)
        added, specified, laned = row.added(), row.specified(), row.laned()

        def insert(transaction: Transaction) -> None:
            if transaction.execute(rows.KNOWN, (task.tenant, task.spec.codebase, task.id)).fetchone():
                raise AlreadyExists("task", task.id)
            try:
                transaction.execute(rows.ADD, added)
            except sqlite3.IntegrityError:
                raise AlreadyExists("task", task.id) from None
            transaction.execute(rows.ADD_SPEC, specified)
            transaction.execute(rows.ADD_LANE, laned)
            transaction.append(entries)
            self._committed(transaction, task, len(specified[1]) + len(row.body))

        await self._writer.write(insert)

    async def get(self, tenant: TenantId, id: TaskId) -> Task:
        """From the cache, else by primary key."""
        task = self._cache.get(id) or self._load(id, tenant)
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
        """Update the row that has the old version."""
        entries = encoded(events)
        row = TaskRow.of(new)
        stays = _place(old) == _place(new)

        def swap(transaction: Transaction) -> None:
            # Whether the task stays in its place is for the row to say; our own copy only suggests what to try first.
            if not (stays and _changed(transaction, rows.RENEW, row.renewed(old, op))) and not _changed(
                transaction, rows.MOVE, row.moved(old, op)
            ):
                if op and transaction.execute(queries.OP, (old.id, old.tenant)).fetchone() == (op,):
                    return
                raise VersionConflict("The task was changed meanwhile", id=old.id)
            for change in approvals:
                swap_approval(transaction, change)
            transaction.append(entries)
            self._committed(transaction, new, len(new.spec.prompt) + len(row.body))

        await self._writer.write(swap)

    async def remove(self, old: Task, events: Sequence[Event] = ()) -> None:
        """Delete the row that has the old version, and what belongs to it."""
        entries = encoded(events)

        def forget(transaction: Transaction) -> None:
            if not _changed(transaction, rows.REMOVE, (old.id, old.tenant, old.version)):
                raise VersionConflict("The task was changed meanwhile", id=old.id)
            for sql in rows.FORGET:
                transaction.execute(sql, {"id": old.id, "tenant": old.tenant, "codebase": old.spec.codebase})
            transaction.append(entries)
            transaction.scrubbed = True
            transaction.after_commit.append(partial(self._cache.drop, old.id))

        await self._writer.write(forget)

    async def lanes(self, tenant: TenantId, *, after: str = "", limit: int) -> Sequence[Lane]:
        """By skipping through the index of what is ready."""
        return [_lane(body) for (body,) in self._reader.rows(queries.LANES, tenant, after, limit)]

    async def ready(self, lanes: Collection[Lane], limit: int) -> Sequence[Task]:
        """The head of each lane in the index of what is ready."""
        found = [row for lane in lanes for row in self._reader.rows(queries.READY, lane.tenant, lane.key, limit)]
        return self._tasks(found)

    async def overdue(self, now: datetime, limit: int) -> Sequence[Task]:
        """The head of the index of what is due."""
        return self._tasks(self._reader.rows(queries.OVERDUE, microseconds(now), limit))

    async def next_due(self) -> datetime | None:
        """The first of them."""
        row = self._reader.row(queries.NEXT_DUE)
        return None if row is None else moment(row[0])

    async def list(self, tenant: TenantId, query: TaskQuery) -> Sequence[Task]:
        """By walking the index of each state that is asked for."""
        if query.states is not None and not query.states:
            return []
        sql, values = queries.listing(tenant, query)

        def page(connection: sqlite3.Connection) -> Sequence[Task]:
            ids = connection.execute(sql, values).fetchall()
            found = [connection.execute(queries.GET, (id, tenant)).fetchone() for id, *_ in ids]
            return [task_of(spec, body) for _, spec, body in found]

        return await self._reader.scan(page)

    async def total(self, tenant: TenantId, query: TaskQuery) -> int:
        """By the same index."""
        if query.states is not None and not query.states:
            return 0
        sql, values = queries.counting(tenant, query)
        ((total,),) = await self._reader.scan(lambda connection: connection.execute(sql, values).fetchall())
        return int(total)

    async def count(self, tenant: TenantId) -> dict[TaskState, int]:
        """By an index alone."""
        counted = await self._reader.scan(lambda connection: connection.execute(queries.COUNT, (tenant,)).fetchall())
        return {TaskState(state): number for state, number in counted}

    async def held(self, tenant: TenantId, worker: WorkerId) -> Sequence[Task]:
        """By the index of workers."""
        return self._tasks(self._reader.rows(queries.HELD, tenant, worker))

    def _tasks(self, found: Sequence[Row]) -> Sequence[Task]:
        """The tasks of rows of (id, tenant, version)."""
        tasks: dict[TaskId, Task] = {}
        for id, tenant, version in found:
            task = self._cache.get(id)
            if task is None or task.version != version:
                task = self._load(id, tenant)
            if task is not None:
                tasks[id] = task
        return [*tasks.values()]

    def _load(self, id: TaskId, tenant: TenantId) -> Task | None:
        row = self._reader.row(queries.GET, id, tenant)
        if row is None:
            return None
        _, spec, body = row
        task = task_of(spec, body)
        self._cache.put(task, len(spec) + len(body))
        return task

    def _committed(self, transaction: Transaction, task: Task, size: int) -> None:
        transaction.after_commit.append(partial(self._cache.put, task, size))
        if task.ready:
            transaction.wake.append(Topic(task.tenant, READY))


def _place(task: Task) -> tuple[TaskState, bool, WorkerId | None, datetime]:
    """Where a task is in the indexes."""
    return task.state, task.ready, task.grant.worker if task.grant else None, task.since


def _changed(transaction: Transaction, sql: str, values: Row) -> bool:
    return transaction.execute(sql, values).rowcount == 1


@lru_cache(maxsize=16_384)
def _lane(body: bytes) -> Lane:
    return decoded(Lane, body)
