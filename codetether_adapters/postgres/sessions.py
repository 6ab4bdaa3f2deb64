"""Sessions and their messages in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from codetether_adapters.postgres.connection import Row
from codetether_adapters.postgres.encoding import decoded, document, microseconds
from codetether_adapters.postgres.operation import Operation
from codetether_adapters.postgres.reader import Overseer, Reader
from codetether_adapters.postgres.writer import Writer
from codetether_adapters.tail import Entry, encoded
from codetether_core.errors import Erased, NotFound, VersionConflict
from codetether_core.events import Event
from codetether_core.ids import CodebaseId, SessionId, TenantId
from codetether_core.ports import SessionQuery
from codetether_core.sessions import Session, SessionMessage

__all__ = ["PostgresSessions"]

_ADDED: Final = """
    INSERT INTO sessions (version, updated, title, quiet, body, tenant, codebase, id)
    SELECT %s, %s, %s, %s, %s, %s, %s, %s
    WHERE NOT EXISTS (SELECT FROM erased_sessions WHERE tenant = %s AND codebase = %s AND id = %s)
    ON CONFLICT DO NOTHING RETURNING tenant, codebase, id
"""
_SWAPPED: Final = """
    UPDATE sessions SET version = %s, updated = %s, title = %s, quiet = %s, body = %s
    WHERE tenant = %s AND codebase = %s AND id = %s AND version = %s RETURNING tenant, codebase, id
"""
_PUT: Final = """
WITH written AS ({written}), told AS (
    INSERT INTO session_messages (tenant, codebase, session, id, created, body)
    SELECT written.tenant, written.codebase, written.id, message.id, message.created, message.body
    FROM written, unnest(%s::text[], %s::bigint[], %s::bytea[]) AS message (id, created, body)
    ON CONFLICT (tenant, codebase, session, id) DO UPDATE SET created = excluded.created, body = excluded.body
), forgotten AS (
    DELETE FROM session_messages USING written, unnest(%s::text[]) AS gone (id)
    WHERE (session_messages.tenant, session_messages.codebase, session_messages.session, session_messages.id)
        = (written.tenant, written.codebase, written.id, gone.id)
)
SELECT EXISTS (SELECT FROM written),
    EXISTS (SELECT FROM erased_sessions WHERE tenant = %s AND codebase = %s AND id = %s)
"""
_ADD: Final = _PUT.format(written=_ADDED)
_REPLACE: Final = _PUT.format(written=_SWAPPED)
_WALK: Final = """
SELECT body FROM sessions WHERE tenant = %s AND (codebase, id) > (%s, %s) ORDER BY codebase, id LIMIT %s
"""
_ERASE: Final = """
WITH known AS (
    SELECT FROM erased_sessions WHERE tenant = %s AND codebase = %s AND id = %s
), gone AS (
    DELETE FROM sessions WHERE tenant = %s AND codebase = %s AND id = %s AND version = %s RETURNING tenant
), noted AS (
    INSERT INTO erased_sessions (tenant, codebase, id) SELECT %s, %s, %s
    WHERE NOT EXISTS (SELECT FROM known) AND (EXISTS (SELECT FROM gone) OR (
        %s::bigint IS NULL AND NOT EXISTS (SELECT FROM sessions WHERE tenant = %s AND codebase = %s AND id = %s)
    )) RETURNING tenant, codebase, id
), unsaid AS (
    DELETE FROM session_messages USING noted
    WHERE (session_messages.tenant, session_messages.codebase, session_messages.session)
        = (noted.tenant, noted.codebase, noted.id)
)
SELECT EXISTS (SELECT FROM noted), EXISTS (SELECT FROM known)
"""
_ERASED: Final = "SELECT codebase, id FROM erased_sessions WHERE tenant = %s ORDER BY codebase, id"
_QUIET: Final = "SELECT body FROM sessions WHERE quiet < %s ORDER BY quiet LIMIT %s"
_GET: Final = "SELECT body FROM sessions WHERE tenant = %s AND codebase = %s AND id = %s"
_OF_SESSION: Final = "FROM session_messages WHERE tenant = %s AND codebase = %s AND session = %s"
_MESSAGES: Final = (
    f"SELECT ARRAY(SELECT body {_OF_SESSION} ORDER BY created, id LIMIT %s OFFSET %s), (SELECT count(*) {_OF_SESSION})"
)


class PostgresSessions:
    """All sessions of one database (a ``SessionStore``)."""

    def __init__(self, writer: Writer, reader: Reader, overseer: Overseer) -> None:
        self._writer = writer
        self._reader = reader
        self._overseer = overseer

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
        quiet = None if new.quiet_since is None else microseconds(new.quiet_since)
        row = [new.version, microseconds(new.updated_at), new.title.casefold(), quiet, document(new)]
        key = [new.tenant, new.codebase, new.id]
        latest = {message.id: message for message in messages}.values()
        told = [
            [message.id for message in latest],
            [microseconds(message.created_at) for message in latest],
            [document(message) for message in latest],
            [id for id in forget if all(message.id != id for message in latest)],
        ]
        expected = key if old is None else [old.version]
        entries = encoded(events)

        def settle(answer: Row) -> Sequence[Entry]:
            written, erased = answer
            if not written:
                raise Erased("session", new.id) if erased else _changed(new.id)
            return entries

        await self._writer.write(
            Operation(
                tenant=new.tenant,
                sql=_ADD if old is None else _REPLACE,
                values=[*row, *key, *expected, *told, *key],
                settle=settle,
                row=f"session {new.tenant} {new.codebase} {new.id}",
            )
        )

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
        entries, key = encoded(events), [tenant, codebase, id]

        def settle(answer: Row) -> Sequence[Entry]:
            noted, known = answer
            if not noted and not known:
                raise _changed(id)
            return entries if noted else ()

        await self._writer.write(
            Operation(
                tenant=tenant,
                sql=_ERASE,
                values=[*key, *key, version, *key, version, *key],
                settle=settle,
                row=f"session {tenant} {codebase} {id}",
            )
        )

    async def erased(self, tenant: TenantId) -> Sequence[tuple[CodebaseId, SessionId]]:
        """In the order of the primary key."""
        return [(codebase, id) for codebase, id in await self._reader.rows(tenant, _ERASED, tenant)]

    async def get(self, tenant: TenantId, codebase: CodebaseId, id: SessionId) -> Session:
        """By primary key."""
        row = await self._reader.row(tenant, _GET, tenant, codebase, id)
        if row is None:
            raise NotFound("session", id)
        return decoded(Session, row[0])

    async def list(self, tenant: TenantId, query: SessionQuery) -> tuple[Sequence[Session], int]:
        """By the index of what was updated last."""
        conditions: dict[str, str] = {"tenant = %s": tenant}
        if query.codebase is not None:
            conditions["codebase = %s"] = query.codebase
        if query.text:
            conditions["position(%s IN title) > 0"] = query.text.casefold()
        matching = f"FROM sessions WHERE {' AND '.join(conditions)}"
        ordered = f"SELECT body {matching} ORDER BY updated DESC, codebase DESC, id DESC LIMIT %s OFFSET %s"
        sql = f"SELECT ARRAY({ordered}), (SELECT count(*) {matching})"
        values = [*conditions.values()]
        return await self._page(Session, tenant, sql, [*values, query.limit, query.after, *values])

    async def walk(
        self, tenant: TenantId, *, after: tuple[CodebaseId, SessionId] | None = None, limit: int
    ) -> Sequence[Session]:
        """In the order of the primary key."""
        found = await self._reader.rows(tenant, _WALK, tenant, *(after or ("", "")), limit)
        return [decoded(Session, body) for (body,) in found]

    async def quiet(self, before: datetime, limit: int) -> Sequence[Session]:
        """By an index of their own."""
        return [decoded(Session, body) for (body,) in await self._overseer.rows(_QUIET, microseconds(before), limit)]

    async def messages(
        self, tenant: TenantId, codebase: CodebaseId, id: SessionId, *, limit: int, after: int = 0
    ) -> tuple[Sequence[SessionMessage], int]:
        """By the index of their creation."""
        key = [tenant, codebase, id]
        return await self._page(SessionMessage, tenant, _MESSAGES, [*key, limit, after, *key])

    async def _page(
        self, type: type[Any], tenant: TenantId, sql: str, values: Sequence[Any]
    ) -> tuple[Sequence[Any], int]:
        """One statement, so that the page and the count are of one moment."""
        row = await self._reader.row(tenant, sql, *values)
        bodies, count = row or ((), 0)
        return [decoded(type, body) for body in bodies], count


def _changed(id: SessionId) -> VersionConflict:
    return VersionConflict("The session was changed meanwhile", id=id)
