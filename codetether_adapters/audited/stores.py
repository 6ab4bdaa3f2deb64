"""The stores of another backend, each of whose writes takes the records of its events along."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Generic, TypeAlias, TypeVar

from attrs import frozen

from codetether_core.codebases import Codebase
from codetether_core.events import Event
from codetether_core.ids import AgentName, CodebaseId, MessageId, SessionId, TaskId, TenantId, WorkerId
from codetether_core.messages import Message
from codetether_core.ports import (
    ApprovalChange,
    CodebaseStore,
    Inbox,
    RecordStore,
    SessionQuery,
    SessionStore,
    TaskQuery,
    TaskStore,
    Versioned,
    WebhookStore,
)
from codetether_core.sessions import Session, SessionMessage
from codetether_core.tasks import Lane, Task, TaskState
from codetether_core.webhooks import Webhook

__all__ = [
    "AuditedCodebases",
    "AuditedInbox",
    "AuditedRecords",
    "AuditedSessions",
    "AuditedTasks",
    "AuditedWebhooks",
    "Noting",
]

V = TypeVar("V", bound=Versioned)

Noting: TypeAlias = Callable[[Sequence[Event], Callable[[Sequence[Event]], Awaitable[None]]], Awaitable[None]]
"""Calls a write with the same events and their records."""


@frozen(kw_only=True)
class AuditedTasks:
    """Tasks (a ``TaskStore``)."""

    store: TaskStore
    noting: Noting

    async def add(self, task: Task, events: Sequence[Event] = ()) -> None:
        await self.noting(events, lambda noted: self.store.add(task, noted))

    async def get(self, tenant: TenantId, id: TaskId) -> Task:
        return await self.store.get(tenant, id)

    async def replace(
        self,
        old: Task,
        new: Task,
        events: Sequence[Event] = (),
        *,
        approvals: Sequence[ApprovalChange] = (),
        op: str = "",
    ) -> None:
        await self.noting(events, lambda noted: self.store.replace(old, new, noted, approvals=approvals, op=op))

    async def remove(self, old: Task, events: Sequence[Event] = ()) -> None:
        await self.noting(events, lambda noted: self.store.remove(old, noted))

    async def lanes(self, tenant: TenantId, *, after: str = "", limit: int) -> Sequence[Lane]:
        return await self.store.lanes(tenant, after=after, limit=limit)

    async def ready(self, lanes: Collection[Lane], limit: int) -> Sequence[Task]:
        return await self.store.ready(lanes, limit)

    async def overdue(self, now: datetime, limit: int) -> Sequence[Task]:
        return await self.store.overdue(now, limit)

    async def next_due(self) -> datetime | None:
        return await self.store.next_due()

    async def list(self, tenant: TenantId, query: TaskQuery) -> Sequence[Task]:
        return await self.store.list(tenant, query)

    async def total(self, tenant: TenantId, query: TaskQuery) -> int:
        return await self.store.total(tenant, query)

    async def count(self, tenant: TenantId) -> dict[TaskState, int]:
        return await self.store.count(tenant)

    async def held(self, tenant: TenantId, worker: WorkerId) -> Sequence[Task]:
        return await self.store.held(tenant, worker)


@frozen(kw_only=True)
class AuditedRecords(Generic[V]):
    """Values of one kind (a ``RecordStore``)."""

    store: RecordStore[V]
    noting: Noting

    async def add(self, value: V, events: Sequence[Event] = ()) -> None:
        await self.noting(events, lambda noted: self.store.add(value, noted))

    async def get(self, tenant: TenantId, id: str) -> V:
        return await self.store.get(tenant, id)

    async def replace(self, old: V, new: V, events: Sequence[Event] = ()) -> None:
        await self.noting(events, lambda noted: self.store.replace(old, new, noted))

    async def remove(self, old: V, events: Sequence[Event] = ()) -> None:
        await self.noting(events, lambda noted: self.store.remove(old, noted))

    async def list(self, tenant: TenantId) -> Sequence[V]:
        return await self.store.list(tenant)


@frozen(kw_only=True)
class AuditedCodebases(AuditedRecords[Codebase]):
    """Codebases (a ``CodebaseStore``)."""

    store: CodebaseStore

    async def find(self, tenant: TenantId, name: str, path: str) -> Codebase | None:
        return await self.store.find(tenant, name, path)


@frozen(kw_only=True)
class AuditedWebhooks(AuditedRecords[Webhook]):
    """Webhooks (a ``WebhookStore``)."""

    store: WebhookStore

    async def of_task(self, tenant: TenantId, codebase: CodebaseId, task: TaskId) -> Sequence[Webhook]:
        return await self.store.of_task(tenant, codebase, task)

    async def due(self, now: datetime, limit: int) -> Sequence[Webhook]:
        return await self.store.due(now, limit)

    async def next_due(self) -> datetime | None:
        return await self.store.next_due()

    async def dead(self, tenant: TenantId, limit: int, after: str = "") -> Sequence[Webhook]:
        return await self.store.dead(tenant, limit, after)


@frozen(kw_only=True)
class AuditedSessions:
    """Sessions (a ``SessionStore``)."""

    store: SessionStore
    noting: Noting

    async def put(
        self,
        old: Session | None,
        new: Session,
        messages: Sequence[SessionMessage] = (),
        events: Sequence[Event] = (),
        *,
        forget: Collection[str] = (),
    ) -> None:
        await self.noting(events, lambda noted: self.store.put(old, new, messages, noted, forget=forget))

    async def erase(
        self,
        tenant: TenantId,
        codebase: CodebaseId,
        id: SessionId,
        *,
        version: int | None,
        events: Sequence[Event] = (),
    ) -> None:
        await self.noting(events, lambda noted: self.store.erase(tenant, codebase, id, version=version, events=noted))

    async def erased(self, tenant: TenantId) -> Sequence[tuple[CodebaseId, SessionId]]:
        return await self.store.erased(tenant)

    async def get(self, tenant: TenantId, codebase: CodebaseId, id: SessionId) -> Session:
        return await self.store.get(tenant, codebase, id)

    async def list(self, tenant: TenantId, query: SessionQuery) -> tuple[Sequence[Session], int]:
        return await self.store.list(tenant, query)

    async def walk(
        self, tenant: TenantId, *, after: tuple[CodebaseId, SessionId] | None = None, limit: int
    ) -> Sequence[Session]:
        return await self.store.walk(tenant, after=after, limit=limit)

    async def quiet(self, before: datetime, limit: int) -> Sequence[Session]:
        return await self.store.quiet(before, limit)

    async def messages(
        self, tenant: TenantId, codebase: CodebaseId, id: SessionId, *, limit: int, after: int = 0
    ) -> tuple[Sequence[SessionMessage], int]:
        return await self.store.messages(tenant, codebase, id, limit=limit, after=after)


@frozen(kw_only=True)
class AuditedInbox:
    """Messages (an ``Inbox``)."""

    store: Inbox
    noting: Noting

    async def add(self, message: Message, events: Sequence[Event] = ()) -> None:
        await self.noting(events, lambda noted: self.store.add(message, noted))

    async def get(self, tenant: TenantId, id: MessageId) -> Message:
        return await self.store.get(tenant, id)

    async def replace(self, old: Message, new: Message, events: Sequence[Event] = ()) -> None:
        await self.noting(events, lambda noted: self.store.replace(old, new, noted))

    async def list(
        self,
        tenant: TenantId,
        *,
        recipients: frozenset[AgentName] | None = None,
        conversation: str | None = None,
        queued_only: bool = False,
        limit: int = 100,
    ) -> Sequence[Message]:
        return await self.store.list(
            tenant, recipients=recipients, conversation=conversation, queued_only=queued_only, limit=limit
        )
