"""Sessions and their messages in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from codetether_adapters.sqlite.encoding import decoded, document, microseconds
from codetether_adapters.sqlite.reader import Reader
from codetether_adapters.sqlite.transaction import Transaction
from codetether_adapters.sqlite.writer import Writer
from codetether_adapters.tail import encoded
from codetether_core.errors import Erased, NotFound, VersionConflict
from codetether_core.events import Event
from codetether_core.ids import CodebaseId, SessionId, TenantId
from codetether_core.ports import SessionQuery
from codetether_core.sessions import Session, SessionMessage

__all__ = ["SqliteSessions"]

_ADD: Final = "INSERT OR IGNORE INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_ERASED: Final = "SELECT 1 FROM erased_sessions WHERE tenant = ? AND codebase = ? AND id = ?"
_ALL_ERASED: Final = "SELECT codebase, id FROM erased_sessions WHERE tenant = ? ORDER BY codebase, id"
_ERASE: Final = "INSERT INTO erased_sessions VALUES (?, ?, ?)"
_PRESENT: Final = "SELECT version FROM sessions WHERE tenant = ? AND codebase = ? AND id = ?"
_REMOVE: Final = (
    "DELETE FROM sessions WHERE tenant = ? AND codebase = ? AND id = ?",
    "DELETE FROM session_messages WHERE tenant = ? AND codebase = ? AND session = ?",
)
_REPLACE: Final = (
    "UPDATE sessions SET version = ?, updated = ?, title = ?, quiet = ?, body = ?"
    " WHERE tenant = ? AND codebase = ? AND id = ? AND version = ?"
)
_PUT_MESSAGE: Final = "INSERT OR REPLACE INTO session_messages VALUES (?, ?, ?, ?, ?, ?)"
_FORGET: Final = "DELETE FROM session_messages WHERE tenant = ? AND codebase = ? AND session = ? AND id = ?"
_WALK: Final = "SELECT body FROM sessions WHERE tenant = ? AND (codebase, id) > (?, ?) ORDER BY codebase, id LIMIT ?"
_QUIET: Final = "SELECT body FROM sessions WHERE quiet < ? ORDER BY quiet LIMIT ?"
_GET: Final = "SELECT body FROM sessions WHERE tenant = ? AND codebase = ? AND id = ?"
_OF_SESSION: Final = "FROM session_messages WHERE tenant = ? AND codebase = ? AND session = ?"
_MESSAGES: Final = f"SELECT body {_OF_SESSION} ORDER BY created, id LIMIT ? OFFSET ?"
_COUNT_MESSAGES: Final = f"SELECT count(*) {_OF_SESSION}"


class SqliteSessions:
    """All sessions of one file (a ``SessionStore``)."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def put(
        self,
        old: Session | None,
        new: Session,
        messages: Sequence[SessionMessage] = (),
        events: Sequence[Event] = (),
        *,
        forget: Collection[str] = (),
    ) -> None:
        """Insert it, or update the row that has the old version."""
        entries = encoded(events)
        key = new.tenant, new.codebase, new.id
        quiet = None if new.quiet_since is None else microseconds(new.quiet_since)
        values = new.version, microseconds(new.updated_at), new.title.casefold(), quiet, document(new)
        rows = [(*key, message.id, microseconds(message.created_at), document(message)) for message in messages]

        def write(transaction: Transaction) -> None:
            if transaction.execute(_ERASED, key).fetchone():
                raise Erased("session", new.id)
            if old is None:
                written = transaction.execute(_ADD, (*key, *values))
            else:
                written = transaction.execute(_REPLACE, (*values, *key, old.version))
            if written.rowcount != 1:
                raise VersionConflict("The session was changed meanwhile", id=new.id)
            transaction.executemany(_FORGET, [(*key, id) for id in forget])
            transaction.executemany(_PUT_MESSAGE, rows)
            transaction.append(entries)

        await self._writer.write(write)

    async def erase(
        self,
        tenant: TenantId,
        codebase: CodebaseId,
        id: SessionId,
        *,
        version: int | None,
        events: Sequence[Event] = (),
    ) -> None:
        """Delete the row that has the version, and the messages; note the key."""
        entries, key = encoded(events), (tenant, codebase, id)

        def forget(transaction: Transaction) -> None:
            if transaction.execute(_ERASED, key).fetchone():
                return
            present = transaction.execute(_PRESENT, key).fetchone()
            if (present and present[0]) != version:
                raise VersionConflict("The session was changed meanwhile", id=id)
            for sql in _REMOVE:
                transaction.execute(sql, key)
            transaction.execute(_ERASE, key)
            transaction.append(entries)
            transaction.scrubbed = True

        await self._writer.write(forget)

    async def erased(self, tenant: TenantId) -> Sequence[tuple[CodebaseId, SessionId]]:
        """In the order of the primary key."""

        def all_of_them(connection: sqlite3.Connection) -> Sequence[tuple[CodebaseId, SessionId]]:
            return connection.execute(_ALL_ERASED, (tenant,)).fetchall()

        return await self._reader.scan(all_of_them)

    async def get(self, tenant: TenantId, codebase: CodebaseId, id: SessionId) -> Session:
        """By primary key."""
        row = self._reader.row(_GET, tenant, codebase, id)
        if row is None:
            raise NotFound("session", id)
        return decoded(Session, row[0])

    async def list(self, tenant: TenantId, query: SessionQuery) -> tuple[Sequence[Session], int]:
        """By the index of what was updated last."""
        conditions: dict[str, str] = {"tenant = ?": tenant}
        if query.codebase is not None:
            conditions["codebase = ?"] = query.codebase
        if query.text:
            conditions["instr(title, ?) > 0"] = query.text.casefold()
        matching = f"FROM sessions WHERE {' AND '.join(conditions)}"
        ordered = f"SELECT body {matching} ORDER BY updated DESC, codebase DESC, id DESC LIMIT ? OFFSET ?"
        values = (*conditions.values(),)

        def page(connection: sqlite3.Connection) -> tuple[Sequence[Session], int]:
            found = connection.execute(ordered, (*values, query.limit, query.after)).fetchall()
            (count,) = connection.execute(f"SELECT count(*) {matching}", values).fetchone()
            return [decoded(Session, body) for (body,) in found], count

        return await self._reader.scan(page)

    async def walk(
        self, tenant: TenantId, *, after: tuple[CodebaseId, SessionId] | None = None, limit: int
    ) -> Sequence[Session]:
        """In the order of the primary key."""
        values = (tenant, *(after or ("", "")), limit)

        def page(connection: sqlite3.Connection) -> Sequence[Session]:
            return [decoded(Session, body) for (body,) in connection.execute(_WALK, values).fetchall()]

        return await self._reader.scan(page)

    async def quiet(self, before: datetime, limit: int) -> Sequence[Session]:
        """By an index of their own."""
        found = self._reader.rows(_QUIET, microseconds(before), limit)
        return [decoded(Session, body) for (body,) in found]

    async def messages(
        self, tenant: TenantId, codebase: CodebaseId, id: SessionId, *, limit: int, after: int = 0
    ) -> tuple[Sequence[SessionMessage], int]:
        """By the index of their creation."""
        key = tenant, codebase, id

        def page(connection: sqlite3.Connection) -> tuple[Sequence[SessionMessage], int]:
            found = connection.execute(_MESSAGES, (*key, limit, after)).fetchall()
            (count,) = connection.execute(_COUNT_MESSAGES, key).fetchone()
            return [decoded(SessionMessage, body) for (body,) in found], count

        return await self._reader.scan(page)
