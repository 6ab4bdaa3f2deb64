"""Messages between agents: sent to a name or a role, kept until acknowledged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from attrs import Factory, field, frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.agents import agent_name
from codetether_adapters.http.resources.bounds import seconds, within
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core import codec
from codetether_core.errors import Invalid
from codetether_core.events import Topic
from codetether_core.ids import AgentName, MessageId
from codetether_core.messages import Message

__all__ = ["ROUTES", "message_view"]

_LONGEST_WAIT: Final = 60


@frozen
class SendMessage:
    """``to`` is an agent's name or role, or a worker's name or id; ``from`` (or ``sender``) defaults to the caller."""

    to: str
    body: str
    sender: str | None = field(default=None, metadata={"name": "from"})
    conversation_id: str | None = None
    metadata: Mapping[str, Any] = Factory(dict)


@frozen
class ReadMessages:
    """``agent``: those that wait for it, the oldest first, for up to ``wait`` seconds; else the latest there are."""

    agent: str | None = None
    conversation_id: str | None = None
    limit: int = 100
    wait: float = 0.0


def message_view(message: Message) -> dict[str, Any]:
    """A message as JSON."""
    return {
        "id": message.id,
        "from": message.sender,
        "to": message.recipient,
        "body": message.body,
        "type": message.type,
        "conversation_id": message.conversation,
        "metadata": message.metadata,
        "status": message.state,
        "sent_at": message.sent_at,
        "acknowledged_at": message.acknowledged_at,
    }


async def send(call: Call) -> Response:
    """Put a message into an inbox."""
    told = await call.json()
    if isinstance(told, dict) and "from" in told:
        told = {**told, "sender": told["from"]}
        if not isinstance(told["from"], str | None):
            raise Invalid("from", "must be a string")
    asked = codec.parse(SendMessage, told)
    message = await call.services.messaging.send(
        call.principal,
        recipient=agent_name(asked.to, "to"),
        body=asked.body,
        sender=asked.sender or "",
        conversation=asked.conversation_id,
        metadata=asked.metadata,
    )
    return Json({"success": True, "message": message_view(message)})


async def read(call: Call) -> Response:
    """An agent's waiting messages, a conversation, or the latest of all."""
    query = call.query(ReadMessages)
    limit = within("limit", query.limit, 1, 500)
    wait = seconds("wait", query.wait, 0, _LONGEST_WAIT)
    if query.agent is not None:
        found = await _await_mail(call, agent_name(query.agent, "agent"), query.conversation_id, limit, wait)
    elif query.conversation_id is not None:
        found = await call.services.messaging.conversation(call.principal, query.conversation_id, limit=limit)
    else:
        found = await call.services.messaging.sent(call.principal, limit=limit)
    return Json({"messages": [message_view(message) for message in found], "count": len(found)})


async def acknowledge(call: Call) -> Response:
    """The recipient has it."""
    message = await call.services.messaging.acknowledge(call.principal, MessageId(call.path["id"]))
    return Json({"success": True, "message": message_view(message)})


async def _await_mail(
    call: Call, agent: AgentName, conversation: str | None, limit: int, wait: timedelta
) -> Sequence[Message]:
    """What waits for the agent; if nothing does, the first that comes, ``wait`` has passed, or we are leaving."""
    services = call.services
    topics = (Topic.agent(call.principal.tenant, AgentName(name)) for name in {agent, agent.partition(":")[0]})
    until = services.clock.now() + wait
    with services.backend.notifier.listen(*topics) as bell, call.drain.watched(bell.ring):
        while True:
            found: Sequence[Message] = await services.messaging.receive(
                call.principal, agent, conversation=conversation, limit=limit
            )
            left = until - services.clock.now()
            if found or left <= timedelta() or call.drain.begun or not await bell.wait(left):
                return found


ROUTES: Final = (
    Route(
        "POST",
        "/v1/agent/messages",
        send,
        "messages:write",
        summary="Send a message",
        answer=shapes.MessageAnswer,
        tag="messages",
        body=SendMessage,
        errors=(404,),
    ),
    Route(
        "GET",
        "/v1/agent/messages",
        read,
        "messages:read",
        summary="Read",
        answer=shapes.Messages,
        tag="messages",
        query=ReadMessages,
    ),
    Route(
        "POST",
        "/v1/agent/messages/{id}/ack",
        acknowledge,
        "messages:write",
        summary="Acknowledge a message",
        answer=shapes.MessageAnswer,
        tag="messages",
        errors=(404,),
    ),
)
