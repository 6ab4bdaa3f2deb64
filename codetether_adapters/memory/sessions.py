"""Sessions and their messages in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TypeAlias

from codetether_adapters.memory.log import MemoryLog
from codetether_adapters.tail import encoded
from codetether_core.errors import Erased, NotFound, VersionConflict
from codetether_core.events import Event
from codetether_core.ids import CodebaseId, SessionId, TenantId
from codetether_core.ports import SessionQuery
from codetether_core.sessions import Session, SessionMessage

__all__ = ["MemorySessions"]

_Key: TypeAlias = tuple[TenantId, CodebaseId, SessionId]


class MemorySessions:
    """All sessions (a ``SessionStore``)."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._sessions: dict[_Key, Session] = {}
        self._messages: dict[_Key, dict[str, SessionMessage]] = {}
        self._erased: set[_Key] = set()

    async def put(
        self,
        old: Session | None,
        new: Session,
        messages: Sequence[SessionMessage] = (),
        events: Sequence[Event] = (),
        *,
        forget: Collection[str] = (),
    ) -> None:
        """Compare, then write."""
        entries = encoded(events)
        key = new.tenant, new.codebase, new.id
        if key in self._erased:
            raise Erased("session", new.id)
        self._compare(key, None if old is None else old.version)
        self._sessions[key] = new
        kept = self._messages.setdefault(key, {})
        for id in forget:
            kept.pop(id, None)
        kept.update((message.id, message) for message in messages)
        self._log.commit(entries)

    async def erase(
        self,
        tenant: TenantId,
        codebase: CodebaseId,
        id: SessionId,
        *,
        version: int | None,
        events: Sequence[Event] = (),
    ) -> None:
        """Compare, then forget all but the key."""
        entries, key = encoded(events), (tenant, codebase, id)
        if key not in self._erased:
            self._compare(key, version)
            self._sessions.pop(key, None)
            self._messages.pop(key, None)
            self._erased.add(key)
            self._log.commit(entries)

    async def erased(self, tenant: TenantId) -> Sequence[tuple[CodebaseId, SessionId]]:
        """Sorted."""
        return sorted((codebase, id) for owner, codebase, id in self._erased if owner == tenant)

    async def get(self, tenant: TenantId, codebase: CodebaseId, id: SessionId) -> Session:
        """Look it up."""
        session = self._sessions.get((tenant, codebase, id))
        if session is None:
            raise NotFound("session", id)
        return session

    async def list(self, tenant: TenantId, query: SessionQuery) -> tuple[Sequence[Session], int]:
        """Look at all of them."""
        text = query.text.casefold()
        found = [
            session
            for session in self._sessions.values()
            if session.tenant == tenant
            and query.codebase in (None, session.codebase)
            and text in session.title.casefold()
        ]
        found.sort(key=lambda session: (session.updated_at, session.codebase, session.id), reverse=True)
        return found[query.after : query.after + query.limit], len(found)

    async def walk(
        self, tenant: TenantId, *, after: tuple[CodebaseId, SessionId] | None = None, limit: int
    ) -> Sequence[Session]:
        """Sorted by key."""
        keys = sorted(key for key in self._sessions if key[0] == tenant and (after is None or key[1:] > after))
        return [self._sessions[key] for key in keys[:limit]]

    async def quiet(self, before: datetime, limit: int) -> Sequence[Session]:
        """Look at all of them."""
        sessions = self._sessions.values()
        return [each for each in sessions if each.quiet_since is not None and each.quiet_since < before][:limit]

    async def messages(
        self, tenant: TenantId, codebase: CodebaseId, id: SessionId, *, limit: int, after: int = 0
    ) -> tuple[Sequence[SessionMessage], int]:
        """Sorted by creation."""
        messages = self._messages.get((tenant, codebase, id), {})
        found = sorted(messages.values(), key=lambda message: (message.created_at, message.id))
        return found[after : after + limit], len(found)

    def _compare(self, key: _Key, version: int | None) -> None:
        present = self._sessions.get(key)
        if (present and present.version) != version:
            raise VersionConflict("The session was changed meanwhile", id=key[2])
