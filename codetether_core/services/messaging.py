"""Words between agents, kept until acknowledged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from codetether_core.access import Principal
from codetether_core.errors import NotFound
from codetether_core.events import Event, Topic
from codetether_core.ids import AgentName, MessageId, TenantId, new_id
from codetether_core.messages import Message, MessageState, acknowledge
from codetether_core.ports import Clock, Directory, Entropy, Inbox
from codetether_core.services.swapping import until_swapped

__all__ = ["Messaging"]

_SENT: Final = {"agent": "message.sent", "human": "message.intervened"}


@frozen
class Messaging:
    """Sending, receiving, acknowledging. Everybody who registers under a name, or its role, reads that name's inbox."""

    inbox: Inbox
    directory: Directory
    clock: Clock
    entropy: Entropy

    async def send(
        self,
        principal: Principal,
        *,
        recipient: AgentName,
        body: str,
        sender: str = "",
        human: bool = False,
        conversation: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Message:
        """Put a message into an agent's inbox; ``NotFound`` if no agent or worker goes by that name or role.

        ``human`` marks the word of a person who intervenes.
        """
        if not await self._known(principal.tenant, recipient):
            raise NotFound("agent", recipient, hint="GET /v1/agent/agents lists who can be written to")
        now = self.clock.now()
        message = Message(
            id=MessageId(new_id("msg", now, self.entropy.bytes(16))),
            tenant=principal.tenant,
            sender=sender or principal.name,
            recipient=recipient,
            body=body,
            sent_at=now,
            type="human" if human else "agent",
            conversation=conversation,
            metadata=metadata or {},
        )
        await self.inbox.add(message, [_event(_SENT[message.type], message)])
        return message

    async def receive(
        self, principal: Principal, agent: AgentName, *, conversation: str | None = None, limit: int = 100
    ) -> Sequence[Message]:
        """The oldest messages to the agent, or to its role, that are not acknowledged; they stay until they are."""
        return await self.inbox.list(
            principal.tenant,
            recipients=frozenset({agent, AgentName(agent.partition(":")[0])}),
            conversation=conversation,
            queued_only=True,
            limit=limit,
        )

    async def conversation(self, principal: Principal, id: str, *, limit: int = 100) -> Sequence[Message]:
        """The latest messages of one conversation, oldest first."""
        return await self.inbox.list(principal.tenant, conversation=id, limit=limit)

    async def sent(self, principal: Principal, *, limit: int = 100) -> Sequence[Message]:
        """The latest messages of the tenant, oldest first."""
        return await self.inbox.list(principal.tenant, limit=limit)

    async def acknowledge(self, principal: Principal, id: MessageId) -> Message:
        """The recipient has it; a second time changes nothing."""

        async def attempt() -> Message:
            message = await self.inbox.get(principal.tenant, id)
            if message.state is MessageState.ACKNOWLEDGED:
                return message
            acknowledged = acknowledge(message, self.clock.now())
            await self.inbox.replace(message, acknowledged, [_event("message.acknowledged", acknowledged)])
            return acknowledged

        return await until_swapped(attempt, "message", id)

    async def _known(self, tenant: TenantId, name: AgentName) -> bool:
        for agent in await self.directory.agents.list(tenant):
            if name in (agent.name, agent.role):
                return True
        return any(name in (worker.name, worker.id) for worker in await self.directory.workers.list(tenant))


def _event(kind: str, message: Message) -> Event:
    data = {
        "message_id": message.id,
        "from_agent": message.sender,
        "to_agent": message.recipient,
        "message": message.body,
        "type": message.type,
        "conversation_id": message.conversation,
        "metadata": message.metadata,
    }
    at = message.acknowledged_at or message.sent_at
    return Event(Topic.agent(message.tenant, message.recipient), kind, at, data)
