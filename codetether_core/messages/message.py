"""Messages between agents, kept in the recipient's inbox until acknowledged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from attrs import Factory, evolve, frozen

from codetether_core.errors import IllegalTransition
from codetether_core.ids import AgentName, MessageId, TenantId

__all__ = ["TRANSITIONS", "Message", "MessageState", "acknowledge"]


class MessageState(StrEnum):
    """Where a message stands."""

    QUEUED = "queued"
    ACKNOWLEDGED = "acknowledged"


TRANSITIONS: Final[Mapping[tuple[MessageState, str], MessageState]] = MappingProxyType(
    {(MessageState.QUEUED, "acknowledge"): MessageState.ACKNOWLEDGED}
)


@frozen(kw_only=True)
class Message:
    """Words for one agent. ``type`` is ``agent`` or ``human``; ids of one conversation belong together."""

    id: MessageId
    tenant: TenantId
    sender: str
    recipient: AgentName
    body: str
    sent_at: datetime
    type: str = "agent"
    conversation: str | None = None
    metadata: Mapping[str, Any] = Factory(dict[str, Any])
    state: MessageState = MessageState.QUEUED
    acknowledged_at: datetime | None = None
    version: int = 1


def acknowledge(message: Message, now: datetime) -> Message:
    """The recipient has it; ``IllegalTransition`` for a message that was acknowledged before."""
    state = TRANSITIONS.get((message.state, "acknowledge"))
    if state is None:
        raise IllegalTransition("message", message.id, message.state, "acknowledge")
    return evolve(message, state=state, acknowledged_at=now, version=message.version + 1)
