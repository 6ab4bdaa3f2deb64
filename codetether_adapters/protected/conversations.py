"""Sessions and agents' inboxes, whose words go through passages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from attrs import frozen

from codetether_adapters.protected.passage import Passage, Told, inwards, outwards
from codetether_core.errors import SearchUnavailable
from codetether_core.events import Event
from codetether_core.ids import AgentName, CodebaseId, MessageId, SessionId, TenantId
from codetether_core.messages import Message
from codetether_core.ports import Inbox, SessionQuery, SessionStore
from codetether_core.sessions import Session, SessionMessage

__all__ = ["ProtectedInbox", "ProtectedSessions"]


@frozen
class ProtectedSessions:
    """Sessions and their messages (a ``SessionStore``)."""

    store: SessionStore
    passages: tuple[Passage, ...]

    async def put(
        self,
        old: Session | None,
        new: Session,
        messages: Sequence[SessionMessage] = (),
        events: Sequence[Event] = (),
        *,
        forget: Collection[str] = (),
    ) -> None:
        """Of what is replaced a store looks at the version alone."""
        (kept,) = await inwards(self.passages, [new])
        told = await inwards(self.passages, [Told(new.tenant, new.codebase, message) for message in messages])
        events = await inwards(self.passages, events)
        await self.store.put(old, kept, [each.message for each in told], events, forget=forget)

    async def erase(
        self,
        tenant: TenantId,
        codebase: CodebaseId,
        id: SessionId,
        *,
        version: int | None,
        events: Sequence[Event] = (),
    ) -> None:
        kept = await inwards(self.passages, events)
        await self.store.erase(tenant, codebase, id, version=version, events=kept)

    async def erased(self, tenant: TenantId) -> Sequence[tuple[CodebaseId, SessionId]]:
        return await self.store.erased(tenant)

    async def get(self, tenant: TenantId, codebase: CodebaseId, id: SessionId) -> Session:
        return (await outwards(self.passages, [await self.store.get(tenant, codebase, id)]))[0]

    async def list(self, tenant: TenantId, query: SessionQuery) -> tuple[Sequence[Session], int]:
        """``SearchUnavailable`` for a text where the store cannot read what it has."""
        if query.text and not all(passage.searchable for passage in self.passages):
            raise SearchUnavailable
        found, total = await self.store.list(tenant, query)
        return await outwards(self.passages, found), total

    async def walk(
        self, tenant: TenantId, *, after: tuple[CodebaseId, SessionId] | None = None, limit: int
    ) -> Sequence[Session]:
        return await outwards(self.passages, await self.store.walk(tenant, after=after, limit=limit))

    async def quiet(self, before: datetime, limit: int) -> Sequence[Session]:
        return await outwards(self.passages, await self.store.quiet(before, limit))

    async def messages(
        self, tenant: TenantId, codebase: CodebaseId, id: SessionId, *, limit: int, after: int = 0
    ) -> tuple[Sequence[SessionMessage], int]:
        found, total = await self.store.messages(tenant, codebase, id, limit=limit, after=after)
        shown = await outwards(self.passages, [Told(tenant, codebase, message) for message in found])
        return [each.message for each in shown], total


@frozen
class ProtectedInbox:
    """Messages between agents (an ``Inbox``)."""

    store: Inbox
    passages: tuple[Passage, ...]

    async def add(self, message: Message, events: Sequence[Event] = ()) -> None:
        (kept,) = await inwards(self.passages, [message])
        await self.store.add(kept, await inwards(self.passages, events))

    async def get(self, tenant: TenantId, id: MessageId) -> Message:
        return (await outwards(self.passages, [await self.store.get(tenant, id)]))[0]

    async def replace(self, old: Message, new: Message, events: Sequence[Event] = ()) -> None:
        (kept,) = await inwards(self.passages, [new])
        await self.store.replace(old, kept, await inwards(self.passages, events))

    async def list(
        self,
        tenant: TenantId,
        *,
        recipients: frozenset[AgentName] | None = None,
        conversation: str | None = None,
        queued_only: bool = False,
        limit: int = 100,
    ) -> Sequence[Message]:
        found = await self.store.list(
            tenant, recipients=recipients, conversation=conversation, queued_only=queued_only, limit=limit
        )
        return await outwards(self.passages, found)
