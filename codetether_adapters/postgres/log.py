"""The log in PostgreSQL, and the ring of its recent end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Final

from attrs import astuple, evolve

from codetether_adapters.postgres import log_queries as queries
from codetether_adapters.postgres.connection import Row
from codetether_adapters.postgres.operation import Operation
from codetether_adapters.postgres.reader import Overseer, Reader
from codetether_adapters.postgres.tail import Tail
from codetether_adapters.postgres.writer import Writer
from codetether_adapters.tail import Entry, encoded, fill, last, needle, of_this_log, position
from codetether_core.errors import StaleLease, VersionConflict
from codetether_core.events import Cursor, Event, Guard, HeadSwap, OutputHead, Page, Record, Topic
from codetether_core.ids import TaskId, TenantId
from codetether_core.ports import PAGE_BYTES

__all__ = ["PostgresLog"]

_ROWS: Final = 1000
"""Records in a page at most that is read from the tables, however short they are."""

_LAST: Final = 2**63 - 1


class PostgresLog:
    """The whole log of one database (an ``EventLog``)."""

    def __init__(self, writer: Writer, reader: Reader, overseer: Overseer, tail: Tail) -> None:
        self._writer = writer
        self._reader = reader
        self._overseer = overseer
        self._tail = tail

    async def append(self, events: Sequence[Event], guard: Guard | None = None) -> None:
        """Insert them if the guard allows, those that are new."""
        entries = encoded(events)
        if guard is not None:
            operation = _guarded(entries, guard) if guard.swap is None else _swapping(entries, guard, guard.swap)
            await self._writer.write(operation)
        elif entries:
            await self._writer.write(Operation(tenant=None, settle=lambda row: entries))

    async def output_head(self, tenant: TenantId, task: TaskId) -> OutputHead:
        """By primary key."""
        row = await self._reader.row(tenant, queries.HEAD, tenant, task)
        return OutputHead(*row) if row else OutputHead()

    async def read(
        self, topic: Topic, after: Cursor, *, limit: int = PAGE_BYTES, kinds: Collection[str] | None = None
    ) -> Page:
        """From the ring, or from the tables for a reader that is far behind."""
        await self._tail.settle()
        if after.epoch != self._tail.epoch or after.position > self._tail.ring.head:
            # Another replica may have given this cursor.
            await self._tail.refresh()
        head = self._tail.head
        first = position(after, start=Cursor(head.epoch, self._tail.start), head=head)
        if first >= self._tail.ring.floor:
            return fill(self._tail.ring.after(topic, first), head, limit, kinds)
        return await self._page(topic, after, head, limit, kinds)

    async def head(self) -> Cursor:
        """After the last record that this process has seen; its own are among them."""
        await self._tail.settle()
        return self._tail.head

    async def start(self) -> Cursor:
        """After the last record that was trimmed."""
        return Cursor(self._tail.epoch, self._tail.start)

    async def slice(self, topic: Topic, kinds: Collection[str], *, offset: int, limit: int) -> Sequence[Record]:
        """By counting in the topic's index."""
        sql, values = queries.slicing(topic, kinds, offset, limit)
        return [queries.record_of(row) for row in await self._reader.rows(topic.tenant, sql, *values)]

    async def count(self, topic: Topic, kinds: Collection[str]) -> int:
        """In the topic's index."""
        sql, values = queries.counting(topic, kinds)
        row = await self._reader.row(topic.tenant, sql, *values)
        return row[0] if row else 0

    async def latest(
        self,
        topic: Topic,
        kinds: Collection[str],
        limit: int,
        *,
        after: int = 0,
        before: int | None = None,
        size: int | None = None,
    ) -> Sequence[Record]:
        """From the end of the topic's index."""
        return await self._last(topic, kinds, None, limit, (after, before), size)

    async def search(
        self,
        tenant: TenantId,
        text: str,
        kinds: Collection[str],
        limit: int,
        *,
        after: int = 0,
        before: int | None = None,
        size: int | None = None,
    ) -> Sequence[Record]:
        """From the end of the tenant's records."""
        return await self._last(Topic(tenant), kinds, needle(text).decode(), limit, (after, before), size)

    async def oldest(self, before: datetime, limit: int) -> Page:
        """From the beginning of the table."""
        epoch, start = self._tail.epoch, self._tail.start
        rows = await self._overseer.rows(queries.NEWS, start, limit)
        found = [*takewhile(lambda record: record.at < before, map(queries.record_of, rows))]
        return Page((*found,), Cursor(epoch, found[-1].position if found else start), more=len(found) == limit)

    async def trim(self, through: Cursor) -> int:
        """Delete the beginning of the table."""
        of_this_log(through, self._tail.epoch)
        operation = Operation(tenant=None, sql=queries.TRIM, values=[through.position], settle=lambda row: ())
        gone, start = await self._writer.write(operation)
        self._tail.trimmed(start)
        return int(gone)

    async def _page(self, topic: Topic, after: Cursor, head: Cursor, limit: int, kinds: Collection[str] | None) -> Page:
        sql, values = queries.forwards(topic, kinds, after.position, head.position, _ROWS, limit)
        records = [queries.record_of(row) for row in await self._reader.rows(topic.tenant, sql, *values)]
        # A trim may have been faster than this query; it is asked for last, as it only goes forward.
        start = await self._reader.row(topic.tenant, queries.START)
        position(after, start=Cursor(head.epoch, start[0] if start else head.position), head=head)
        if len(records) < _ROWS:
            return fill(records, head, limit, None)
        page = fill(records, Cursor(head.epoch, records[-1].position), limit, None)
        return evolve(page, more=True)

    async def _last(
        self,
        topic: Topic,
        kinds: Collection[str],
        text: str | None,
        limit: int,
        between: tuple[int, int | None],
        size: int | None,
    ) -> Sequence[Record]:
        """No more is read than is asked for."""
        after, before = between
        sql, values = queries.backwards(
            topic, kinds, after, _LAST if before is None else before, text, limit, _LAST if size is None else size
        )
        records = last(map(queries.record_of, await self._reader.rows(topic.tenant, sql, *values)), limit, size)
        if records:
            self._tail.learn(records[-1].position)
        return records


def _guarded(entries: Sequence[Entry], guard: Guard) -> Operation:
    """Append what the guard lets through: nothing from a stale holder, and nothing twice."""
    counts = guard.first is not None
    first, count = guard.first or 0, len(entries) if counts else 0
    task, grant = guard.task, guard.grant

    def settle(row: Row) -> Sequence[Entry]:
        held, known, holds = row
        if not held:
            raise _stale(task)
        if holds:
            raise VersionConflict("Something was held back", id=task)
        return entries[known:] if counts else entries

    return Operation(
        tenant=guard.tenant,
        sql=queries.ADMIT,
        values=[task, guard.tenant, guard.fence, first, task, grant, task, grant, first + count, count],
        settle=settle,
        row=f"task {task}",
    )


def _swapping(entries: Sequence[Entry], guard: Guard, swap: HeadSwap) -> Operation:
    """Append if the head of the output reads as it must."""
    task = guard.task

    def settle(row: Row) -> Sequence[Entry]:
        held, swapped = row
        if not held:
            raise _stale(task)
        if not swapped:
            raise VersionConflict("Other output came first", id=task)
        return entries

    return Operation(
        tenant=guard.tenant,
        sql=queries.SWAP,
        values=[task, guard.tenant, guard.fence, task, *astuple(swap.new), swap.old.grant, task, *astuple(swap.old)],
        settle=settle,
        row=f"task {task}",
    )


def _stale(task: TaskId) -> StaleLease:
    return StaleLease("The lease that these events were written under is no longer in force", id=task)
