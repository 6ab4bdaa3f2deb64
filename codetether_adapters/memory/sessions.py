"""Sessions and their messages in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TypeAlias

from codetether_adapters.memory.log import MemoryLog
from codetether_adapters.tail import encoded
from codetether_core.errors import NotFound, VersionConflict
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
        present = self._sessions.get(key)
        if (present and present.version) != (old and old.version):
            raise VersionConflict("The session was changed meanwhile", id=new.id)
        self._sessions[key] = new
        kept = self._messages.setdefault(key, {})
        for id in forget:
            kept.pop(id, None)
        kept.update((message.id, message) for message in messages)
        self._log.commit(entries)

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
