"""The inbox in memory."""

from __future__ import annotations

from collections.abc import Sequence

from codetether_adapters.memory.log import MemoryLog
from codetether_adapters.memory.records import MemoryRecords
from codetether_core.events import Event
from codetether_core.ids import AgentName, MessageId, TenantId
from codetether_core.messages import Message, MessageState

__all__ = ["MemoryInbox"]


class MemoryInbox:
    """All messages (an ``Inbox``)."""

    def __init__(self, log: MemoryLog) -> None:
        self._records = MemoryRecords[Message]("message", log)

    async def add(self, message: Message, events: Sequence[Event] = ()) -> None:
        """As any record."""
        await self._records.add(message, events)

    async def get(self, tenant: TenantId, id: MessageId) -> Message:
        """As any record."""
        return await self._records.get(tenant, id)

    async def replace(self, old: Message, new: Message, events: Sequence[Event] = ()) -> None:
        """As any record."""
        await self._records.replace(old, new, events)

    async def list(
        self,
        tenant: TenantId,
        *,
        recipients: frozenset[AgentName] | None = None,
        conversation: str | None = None,
        queued_only: bool = False,
        limit: int = 100,
    ) -> Sequence[Message]:
        """Look at all of them."""
        found = [
            message
            for message in await self._records.list(tenant)
            if (recipients is None or message.recipient in recipients)
            and conversation in (None, message.conversation)
            and (not queued_only or message.state is MessageState.QUEUED)
        ]
        found.sort(key=lambda message: (message.sent_at, message.id))
        return found[:limit] if queued_only else found[max(len(found) - limit, 0) :]
