"""Where webhooks are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from codetether_core.ids import CodebaseId, TaskId, TenantId
from codetether_core.ports.record_store import RecordStore
from codetether_core.webhooks import Webhook

__all__ = ["WebhookStore"]


class WebhookStore(RecordStore[Webhook], Protocol):
    """Webhooks, found by their task, by their moment and, where nobody answered, by that.

    What is asked here costs no more than what is answered, however many there are of tasks that have ended.
    """

    async def of_task(self, tenant: TenantId, codebase: CodebaseId, task: TaskId) -> Sequence[Webhook]:
        """Those of one task, in order of id."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[Webhook]:
        """Those of all tenants whose moment has come, the longest due first."""
        ...

    async def next_due(self) -> datetime | None:
        """The earliest moment of any; ``None`` if there is none."""
        ...

    async def dead(self, tenant: TenantId, limit: int, after: str = "") -> Sequence[Webhook]:
        """Those that were given up, in order of id, behind the one of that id."""
        ...
