"""Messages between agents, kept until they are acknowledged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from codetether_adapters.client.operations import M, Resource, operation
from codetether_adapters.client.requests import AGENT, Request, an_object, fresh_key, nothing, one, path
from codetether_adapters.client.views import MessageView

__all__ = ["Messages"]


class Messages(Resource[M]):
    """``client.messages``."""

    @operation
    async def send(
        self,
        to: str,
        body: str,
        *,
        sender: str | None = None,
        conversation: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> MessageView:
        """Write to an agent, or to everybody of a role."""
        members = {"to": to, "body": body, "from": sender, "conversation_id": conversation, "metadata": metadata}
        return await self._send(
            Request(
                method="POST",
                path=f"{AGENT}/messages",
                body=members,
                headers={"idempotency-key": fresh_key()},
                read=_message,
                repeatable=False,
            )
        )

    @operation
    async def receive(self, agent: str, *, wait: float = 0.0, limit: int = 100) -> Sequence[MessageView]:
        """What waits for an agent, oldest first, until it is acknowledged; ``wait`` up to 60 s for a first message."""
        query = {"agent": agent, "limit": limit, "wait": f"{wait:g}" if wait else None}
        return await self._send(
            Request(
                method="GET",
                path=f"{AGENT}/messages",
                query=query,
                patience=wait,
                read=_messages,
            )
        )

    @operation
    async def list(
        self, *, agent: str | None = None, conversation: str | None = None, limit: int = 100
    ) -> Sequence[MessageView]:
        """The latest messages, oldest first: of a conversation, those that wait for an agent, or all."""
        query = {"agent": agent, "conversation_id": conversation, "limit": limit}
        return await self._send(Request(method="GET", path=f"{AGENT}/messages", query=query, read=_messages))

    @operation
    async def ack(self, id: str) -> None:
        """The message has arrived."""
        await self._send(Request(method="POST", path=path(f"{AGENT}/messages", id, "ack"), read=nothing))


def _message(data: Any) -> MessageView:
    return one(MessageView)(_renamed(an_object(data).get("message")))


def _messages(data: Any) -> Sequence[MessageView]:
    return [one(MessageView)(_renamed(each)) for each in one(tuple[Any, ...])(an_object(data).get("messages"))]


def _renamed(data: Any) -> Mapping[str, Any]:
    """``from`` is no name in Python."""
    members = an_object(data)
    return {**members, "sender": members.get("from"), "recipient": members.get("to")}
