"""Each agent's durable inbox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from codetether_core.events import Event
from codetether_core.ids import AgentName, MessageId, TenantId
from codetether_core.messages import Message

__all__ = ["Inbox"]


class Inbox(Protocol):
    """Messages until, and after, they are acknowledged."""

    async def add(self, message: Message, events: Sequence[Event] = ()) -> None:
        """Keep a new message; ``AlreadyExists`` if its id is taken."""
        ...

    async def get(self, tenant: TenantId, id: MessageId) -> Message:
        """One message; ``NotFound``."""
        ...

    async def replace(self, old: Message, new: Message, events: Sequence[Event] = ()) -> None:
        """Write ``new`` if the version is still ``old.version``; else ``VersionConflict``."""
        ...

    async def list(
        self,
        tenant: TenantId,
        *,
        recipients: frozenset[AgentName] | None = None,
        conversation: str | None = None,
        queued_only: bool = False,
        limit: int = 100,
    ) -> Sequence[Message]:
        """Messages in the order they were sent; with ``queued_only`` the oldest of those, else the latest there are."""
        ...
