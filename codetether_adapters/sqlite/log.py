"""The log in SQLite, and the ring of its recent end."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import takewhile
from typing import Any, Final

from attrs import astuple

from codetether_adapters.sqlite import task_queries
from codetether_adapters.sqlite.encoding import moment
from codetether_adapters.sqlite.reader import Reader
from codetether_adapters.sqlite.transaction import Transaction
from codetether_adapters.sqlite.writer import Writer
from codetether_adapters.tail import Entry, Ring, encoded, fill, last, needle, of_this_log, position
from codetether_core.errors import StaleLease, VersionConflict
from codetether_core.events import Cursor, Event, Guard, OutputHead, Page, Record, Topic
from codetether_core.ids import TaskId, TenantId
from codetether_core.ports import PAGE_BYTES

__all__ = ["SqliteLog"]

_HEAD: Final = 'SELECT "grant", following, held FROM output_heads WHERE task = ?'
_HEAD_OF: Final = """
SELECT "grant", following, held FROM output_heads
WHERE task = ? AND EXISTS (SELECT 1 FROM tasks WHERE id = ? AND tenant = ?)
"""
_ADVANCE: Final = "INSERT OR REPLACE INTO output_heads VALUES (?, ?, ?, ?)"
_START: Final = "SELECT value FROM meta WHERE name = 'start'"
_TRIM_TO: Final = "UPDATE meta SET value = ? WHERE name = 'start'"
_OLDEST: Final = "SELECT * FROM events ORDER BY position LIMIT ?"
_REACHED: Final = "SELECT max(position) FROM events WHERE position <= ?"
_FORGET: Final = "DELETE FROM events WHERE position <= ?"


class SqliteLog:
    """The whole log of one file (an ``EventLog``).

    A thread that reads the file may see a commit before its publication. Nothing after the head is told, so that who
    has heard of a change finds it wherever it looks next.
    """

    def __init__(self, writer: Writer, reader: Reader, ring: Ring, *, epoch: str, start: int) -> None:
        self._writer = writer
        self._reader = reader
        self._ring = ring
        self._epoch = epoch
        self._start = start

    async def append(self, events: Sequence[Event], guard: Guard | None = None) -> None:
        """Insert them if the guard allows, those that are new."""
        entries = encoded(events)
        await self._writer.write(
            lambda transaction: transaction.append(entries if guard is None else _admitted(transaction, entries, guard))
        )

    async def output_head(self, tenant: TenantId, task: TaskId) -> OutputHead:
        """By the task, if it is the tenant's."""
        row = self._reader.row(_HEAD_OF, task, task, tenant)
        return OutputHead(*row) if row else OutputHead()

    async def read(
        self, topic: Topic, after: Cursor, *, limit: int = PAGE_BYTES, kinds: Collection[str] | None = None
    ) -> Page:
        """From the ring, or from the file for a reader that is far behind."""
        head = Cursor(self._epoch, self._ring.head)
        first = position(after, start=Cursor(self._epoch, self._start), head=head)
        if first >= self._ring.floor:
            return fill(self._ring.after(topic, first), head, limit, kinds)

        def page(connection: sqlite3.Connection) -> Page:
            # A trim may have been faster than this thread.
            (start,) = connection.execute(_START).fetchone()
            position(after, start=Cursor(self._epoch, start), head=head)
            found = _records(
                connection, topic, kinds, "position > ? AND position <= ? ORDER BY position", first, head.position
            )
            return fill(found, head, limit, None)

        return await self._reader.scan(page)

    async def head(self) -> Cursor:
        """After the last record that was published."""
        return Cursor(self._epoch, self._ring.head)

    async def start(self) -> Cursor:
        """After the last record that was trimmed."""
        return Cursor(self._epoch, self._start)

    async def slice(self, topic: Topic, kinds: Collection[str], *, offset: int, limit: int) -> Sequence[Record]:
        """By counting in the topic's index."""
        rest, head = "position <= ? ORDER BY position LIMIT ? OFFSET ?", self._ring.head
        return await self._reader.scan(
            lambda connection: [*_records(connection, topic, kinds, rest, head, limit, offset)]
        )

    async def count(self, topic: Topic, kinds: Collection[str]) -> int:
        """In the topic's index."""
        where, values = _condition(topic, kinds)
        sql, head = f"SELECT count(*) FROM events WHERE {where} AND position <= ?", self._ring.head  # noqa: S608
        (count,) = await self._reader.scan(lambda connection: connection.execute(sql, (*values, head)).fetchone())
        return int(count)

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
        return await self._last(topic, kinds, "TRUE", (), limit, (after, before), size)

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
        """From the end of the tenant's records; SQLite's ``lower`` knows ASCII only, as is wanted."""
        contains, text = "instr(lower(CAST(body AS TEXT)), ?) > 0", needle(text).decode()
        return await self._last(Topic(tenant), kinds, contains, (text,), limit, (after, before), size)

    async def oldest(self, before: datetime, limit: int) -> Page:
        """From the beginning of the table."""

        def page(connection: sqlite3.Connection) -> Page:
            rows = connection.execute(_OLDEST, (limit,))
            found = [*takewhile(lambda record: record.at < before, map(_record, rows))]
            last = found[-1].position if found else self._start
            return Page((*found,), Cursor(self._epoch, last), more=len(found) == limit)

        return await self._reader.scan(page)

    async def trim(self, through: Cursor) -> int:
        """Delete the beginning of the table."""
        of_this_log(through, self._epoch)

        def forget(transaction: Transaction) -> int:
            (last,) = transaction.execute(_REACHED, (through.position,)).fetchone()
            if last is None:
                return 0
            transaction.execute(_TRIM_TO, (last,))
            transaction.after_commit.append(partial(self._trimmed, last))
            return transaction.execute(_FORGET, (last,)).rowcount

        return await self._writer.write(forget)

    def _trimmed(self, position: int) -> None:
        self._start = position

    async def _last(
        self,
        topic: Topic,
        kinds: Collection[str],
        condition: str,
        values: tuple[Any, ...],
        limit: int,
        between: tuple[int, int | None],
        size: int | None,
    ) -> Sequence[Record]:
        """Row by row from the latest on, so that no more is read than is asked for."""
        after, before = between
        rest = f"position > ? AND position < ? AND {condition} ORDER BY position DESC LIMIT ?"
        following = self._ring.head + 1
        bounds = (after, following if before is None else min(before, following))
        return await self._reader.scan(
            lambda connection: last(_records(connection, topic, kinds, rest, *bounds, *values, limit), limit, size)
        )


def _admitted(transaction: Transaction, entries: Sequence[Entry], guard: Guard) -> Sequence[Entry]:
    """What the guard lets through: nothing from a stale holder, and nothing twice."""
    if transaction.execute(task_queries.FENCE, (guard.task,)).fetchone() != (guard.fence,):
        raise StaleLease("The lease that these events were written under is no longer in force", id=guard.task)
    row = transaction.execute(_HEAD, (guard.task,)).fetchone()
    head = OutputHead(*row) if row else OutputHead()
    if guard.swap is not None:
        if head != guard.swap.old:
            raise VersionConflict("Other output came first", id=guard.task)
        transaction.execute(_ADVANCE, (guard.task, *astuple(guard.swap.new)))
    elif head.held and head.grant == guard.grant:
        raise VersionConflict("Something was held back", id=guard.task)
    if guard.first is None:
        return entries
    known = max(head.following - guard.first, 0) if head.grant == guard.grant else 0
    if known < len(entries):
        transaction.execute(_ADVANCE, (guard.task, guard.grant, guard.first + len(entries), ""))
    return entries[known:]


def _condition(topic: Topic, kinds: Collection[str] | None) -> tuple[str, tuple[str, ...]]:
    """The SQL of a topic and kinds."""
    given = {"tenant": topic.tenant, "scope": topic.scope, "subject": topic.subject}
    columns = {column: value for column, value in given.items() if value or column == "tenant"}
    where = " AND ".join(f"{column} = ?" for column in columns)
    if kinds is None:
        return where, (*columns.values(),)
    return f"{where} AND kind IN ({', '.join('?' * len(kinds))})", (*columns.values(), *kinds)


def _records(
    connection: sqlite3.Connection, topic: Topic, kinds: Collection[str] | None, rest: str, *values: Any
) -> Iterator[Record]:
    """The topic's records as the file has them, one by one."""
    where, given = _condition(topic, kinds)
    sql = f"SELECT * FROM events WHERE {where} AND {rest}"  # noqa: S608
    yield from map(_record, connection.execute(sql, (*given, *values)))


def _record(row: tuple[Any, ...]) -> Record:
    position, tenant, scope, subject, number, kind, at, body = row
    return Record(position, number, Topic(tenant, scope, subject), kind, moment(at), body)
