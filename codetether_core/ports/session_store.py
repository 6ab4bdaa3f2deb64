"""Where sessions and their messages are kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from attrs import frozen

from codetether_core.events import Event
from codetether_core.ids import CodebaseId, SessionId, TenantId
from codetether_core.sessions import Session, SessionMessage

__all__ = ["SessionQuery", "SessionStore"]


@frozen(kw_only=True)
class SessionQuery:
    """Which sessions to list, the last updated first; ``text`` must occur in the title, ignoring case."""

    codebase: CodebaseId | None = None
    text: str = ""
    limit: int = 50
    after: int = 0


class SessionStore(Protocol):
    """Sessions by (codebase, id), as the same id may be told for two codebases, and messages by (session, id)."""

    async def put(
        self,
        old: Session | None,
        new: Session,
        messages: Sequence[SessionMessage] = (),
        events: Sequence[Event] = (),
        *,
        forget: Collection[str] = (),
    ) -> None:
        """Write ``new`` if the version is still ``old.version`` (``None``: there is no such session yet), and with it
        these messages, each over the one with its id; those with the ids in ``forget`` go, all others stay.
        ``VersionConflict`` otherwise, ``Erased`` for one that was erased.
        """
        ...

    async def erase(
        self,
        tenant: TenantId,
        codebase: CodebaseId,
        id: SessionId,
        *,
        version: int | None,
        events: Sequence[Event] = (),
    ) -> None:
        """Forget a session and its messages for good if its version is still that one (``None``: there is no such
        session, and shall be none); ``VersionConflict`` otherwise. Of one that was erased already nothing is changed.
        """
        ...

    async def erased(self, tenant: TenantId) -> Sequence[tuple[CodebaseId, SessionId]]:
        """All that were erased, in order."""
        ...

    async def get(self, tenant: TenantId, codebase: CodebaseId, id: SessionId) -> Session:
        """One session; ``NotFound``."""
        ...

    async def list(self, tenant: TenantId, query: SessionQuery) -> tuple[Sequence[Session], int]:
        """A page of the sessions that match, and how many there are in all."""
        ...

    async def walk(
        self, tenant: TenantId, *, after: tuple[CodebaseId, SessionId] | None = None, limit: int
    ) -> Sequence[Session]:
        """Up to ``limit`` sessions in order of codebase and id, beginning behind that one, whether it is there or not.

        Whatever is told or forgotten meanwhile, a session that is there all the time is met.
        """
        ...

    async def quiet(self, before: datetime, limit: int) -> Sequence[Session]:
        """Up to ``limit`` sessions of all tenants whose ``quiet_since`` is before that moment, in no order.

        The cost grows with how many there are, not with all sessions.
        """
        ...

    async def messages(
        self, tenant: TenantId, codebase: CodebaseId, id: SessionId, *, limit: int, after: int = 0
    ) -> tuple[Sequence[SessionMessage], int]:
        """A page of a session's messages in order of creation, and how many there are in all; none if it is unknown."""
        ...
