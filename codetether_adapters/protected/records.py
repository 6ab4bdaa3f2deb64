"""Records whose values, or only whose events, go through passages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Generic, TypeVar

from attrs import frozen

from codetether_adapters.protected.passage import Passage, inwards, outwards
from codetether_core.codebases import Codebase
from codetether_core.events import Event
from codetether_core.ids import CodebaseId, TaskId, TenantId
from codetether_core.ports import CodebaseStore, RecordStore, Versioned, WebhookStore
from codetether_core.webhooks import Webhook

__all__ = ["ProtectedCodebases", "ProtectedRecords", "ProtectedWebhooks"]

V = TypeVar("V", bound=Versioned)


@frozen(kw_only=True)
class ProtectedRecords(Generic[V]):
    """Values of one kind (a ``RecordStore``), in which somebody has ``written`` something, or nobody has."""

    store: RecordStore[V]
    passages: tuple[Passage, ...]
    written: bool = False

    async def add(self, value: V, events: Sequence[Event] = ()) -> None:
        await self.store.add(await self._kept(value), await inwards(self.passages, events))

    async def get(self, tenant: TenantId, id: str) -> V:
        found = await self.store.get(tenant, id)
        return (await outwards(self.passages, [found]))[0] if self.written else found

    async def replace(self, old: V, new: V, events: Sequence[Event] = ()) -> None:
        await self.store.replace(old, await self._kept(new), await inwards(self.passages, events))

    async def remove(self, old: V, events: Sequence[Event] = ()) -> None:
        await self.store.remove(old, await inwards(self.passages, events))

    async def list(self, tenant: TenantId) -> Sequence[V]:
        found = await self.store.list(tenant)
        return await outwards(self.passages, found) if self.written else found

    async def _kept(self, value: V) -> V:
        return (await inwards(self.passages, [value]))[0] if self.written else value


@frozen(kw_only=True)
class ProtectedCodebases(ProtectedRecords[Codebase]):
    """Codebases (a ``CodebaseStore``)."""

    store: CodebaseStore

    async def find(self, tenant: TenantId, name: str, path: str) -> Codebase | None:
        found = await self.store.find(tenant, name, path)
        return None if found is None else (await outwards(self.passages, [found]))[0]


@frozen(kw_only=True)
class ProtectedWebhooks(ProtectedRecords[Webhook]):
    """Webhooks (a ``WebhookStore``), of which what somebody wrote is encrypted in any case."""

    store: WebhookStore

    async def of_task(self, tenant: TenantId, codebase: CodebaseId, task: TaskId) -> Sequence[Webhook]:
        return await self.store.of_task(tenant, codebase, task)

    async def due(self, now: datetime, limit: int) -> Sequence[Webhook]:
        return await self.store.due(now, limit)

    async def next_due(self) -> datetime | None:
        return await self.store.next_due()

    async def dead(self, tenant: TenantId, limit: int, after: str = "") -> Sequence[Webhook]:
        return await self.store.dead(tenant, limit, after)
