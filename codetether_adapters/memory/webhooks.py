"""Webhooks in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from codetether_adapters.memory.log import MemoryLog
from codetether_adapters.memory.ordered import Ordered
from codetether_adapters.memory.records import MemoryRecords
from codetether_core.ids import CodebaseId, TaskId, TenantId
from codetether_core.webhooks import Webhook, WebhookState

__all__ = ["MemoryWebhooks"]


class MemoryWebhooks(MemoryRecords[Webhook]):
    """All webhooks of one memory (a ``WebhookStore``)."""

    def __init__(self, log: MemoryLog) -> None:
        super().__init__("webhook", log)
        self._of_task: dict[tuple[TenantId, CodebaseId, TaskId], set[str]] = {}
        self._due = Ordered[tuple[datetime, str, TenantId]]()
        self._dead: dict[TenantId, Ordered[tuple[str]]] = {}

    def forget(self, tenant: TenantId, codebase: CodebaseId, task: TaskId) -> None:
        """Those of a task."""
        for id in [*self._of_task.get((tenant, codebase, task), ())]:
            self._moved(self._values.pop((tenant, id)), None)

    async def of_task(self, tenant: TenantId, codebase: CodebaseId, task: TaskId) -> Sequence[Webhook]:
        """By the index."""
        return [self._values[tenant, id] for id in sorted(self._of_task.get((tenant, codebase, task), ()))]

    async def due(self, now: datetime, limit: int) -> Sequence[Webhook]:
        """The head of the index."""
        return [self._values[tenant, id] for _, id, tenant in self._due.until(now, limit)]

    async def next_due(self) -> datetime | None:
        """The first of it."""
        return self._due.first(1)[0][0] if len(self._due) else None

    async def dead(self, tenant: TenantId, limit: int, after: str = "") -> Sequence[Webhook]:
        """A stretch of the index."""
        found = self._dead.get(tenant)
        return [self._values[tenant, id] for (id,) in found.after(after, limit)] if found else []

    def _moved(self, old: Webhook | None, new: Webhook | None) -> None:
        if old is not None:
            self._of_task[_place(old)].remove(old.id)
            if not self._of_task[_place(old)]:
                del self._of_task[_place(old)]
            if old.due is not None:
                self._due.remove((old.due, old.id, old.tenant))
            if old.state is WebhookState.DEAD:
                self._dead[old.tenant].remove((old.id,))
        if new is not None:
            self._of_task.setdefault(_place(new), set()).add(new.id)
            if new.due is not None:
                self._due.add((new.due, new.id, new.tenant))
            if new.state is WebhookState.DEAD:
                self._dead.setdefault(new.tenant, Ordered[tuple[str]]()).add((new.id,))


def _place(webhook: Webhook) -> tuple[TenantId, CodebaseId, TaskId]:
    return webhook.tenant, webhook.codebase, webhook.task
