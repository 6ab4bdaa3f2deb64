"""Agents and their messages, as answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from codetether_core.messages import MessageState

__all__ = ["Agent", "AgentAnswer", "AgentBeat", "Agents", "Message", "MessageAnswer", "Messages", "Peer"]


@frozen(kw_only=True)
class Peer:
    """Where an agent elsewhere is, and how it is spoken to: what its card said when it was read.

    ``signed`` says that the card had a good signature, ``secret`` which secret the agent knows us by.
    """

    card_url: str
    release: str
    streams: bool
    signed: bool
    secret: str | None
    read_at: datetime


@frozen(kw_only=True)
class Agent:
    """An agent. ``role`` and ``instance_id`` are what its name has before and after the first colon."""

    name: str
    role: str
    instance_id: str | None
    url: str
    description: str
    capabilities: Mapping[str, Any]
    models_supported: tuple[str, ...]
    peer: Peer | None
    registered_at: datetime
    last_seen: datetime


@frozen(kw_only=True)
class AgentAnswer:
    """It is done, and this is the agent now."""

    success: bool
    agent: Agent


@frozen(kw_only=True)
class AgentBeat:
    """The agent was heard."""

    success: bool
    agent_name: str
    last_seen: datetime


@frozen(kw_only=True)
class Agents:
    """Agents, by name."""

    agents: tuple[Agent, ...]
    count: int


@frozen(kw_only=True)
class Message:
    """A message between agents; ``type`` is ``agent`` or ``human``."""

    id: str
    sender: str = field(metadata={"name": "from"})
    to: str
    body: str
    type: str
    conversation_id: str | None
    metadata: Mapping[str, Any]
    status: MessageState
    sent_at: datetime
    acknowledged_at: datetime | None


@frozen(kw_only=True)
class MessageAnswer:
    """It is done, and this is the message now."""

    success: bool
    message: Message


@frozen(kw_only=True)
class Messages:
    """Messages, oldest first."""

    messages: tuple[Message, ...]
    count: int
