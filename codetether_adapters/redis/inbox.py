"""The inbox in Redis; a tenant's messages are in one shard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from codetether_adapters.redis.documents import ABSENT, Document, Place
from codetether_adapters.redis.encoding import MOMENT_BYTES, decoded, document, sortable
from codetether_adapters.redis.keys import framed
from codetether_adapters.redis.reader import Reader
from codetether_adapters.redis.writer import CONFLICT, EXISTS, Writer
from codetether_adapters.tail import encoded
from codetether_core.errors import AlreadyExists, NotFound, VersionConflict
from codetether_core.events import AGENTS, Event
from codetether_core.ids import AgentName, MessageId, TenantId
from codetether_core.messages import Message, MessageState

__all__ = ["RedisInbox"]

_PAGE: Final = 500


class RedisInbox:
    """All messages of one store (an ``Inbox``)."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def add(self, message: Message, events: Sequence[Event] = ()) -> None:
        """Put it where there is none."""
        outcome = await self._writer.write(self._shard(message.tenant), [_document(message, ABSENT)], encoded(events))
        if outcome.status == EXISTS:
            raise AlreadyExists("message", message.id)

    async def get(self, tenant: TenantId, id: MessageId) -> Message:
        """By key."""
        (body,) = await self._reader.fields(self._shard(tenant), f"{_documents(tenant)}{id}", "body")
        if body is None:
            raise NotFound("message", id)
        return decoded(Message, body)

    async def replace(self, old: Message, new: Message, events: Sequence[Event] = ()) -> None:
        """Swap it."""
        outcome = await self._writer.write(self._shard(old.tenant), [_document(new, str(old.version))], encoded(events))
        if outcome.status == CONFLICT:
            raise VersionConflict("The message was changed meanwhile", id=old.id)

    async def list(
        self,
        tenant: TenantId,
        *,
        recipients: frozenset[AgentName] | None = None,
        conversation: str | None = None,
        queued_only: bool = False,
        limit: int = 100,
    ) -> Sequence[Message]:
        """From the end that is asked for, by the index that fits; the rest of the conditions is looked at."""
        if conversation is not None:
            indexes = [_of_conversation(tenant, conversation)]
        elif recipients is None:
            indexes = [_of_tenant(tenant, queued_only)]
        else:
            indexes = [_of_recipient(tenant, recipient, queued_only) for recipient in sorted(recipients)]
        found: list[Message] = []
        offset, size = 0, limit if conversation is None else _PAGE
        while len(found) < limit:
            _, rows = await self._reader.page(
                self._shard(tenant),
                indexes,
                _documents(tenant),
                ("body",),
                offset=offset,
                limit=size,
                rank=MOMENT_BYTES,
                backwards=not queued_only,
            )
            messages = (decoded(Message, body) for _, body in rows if body is not None)
            found += (each for each in messages if _matches(each, recipients, queued_only))
            offset += size
            if len(rows) < size:
                break
        del found[limit:]
        return found if queued_only else found[::-1]

    def _shard(self, tenant: TenantId) -> int:
        return self._reader.layout.of_scope(tenant, AGENTS)


def _document(message: Message, expected: str) -> Document:
    return Document(
        key=f"{_documents(message.tenant)}{message.id}",
        expected=expected,
        version=str(message.version),
        fields={"body": document(message)},
        places=[*_places(message)],
    )


def _places(message: Message) -> Iterator[Place]:
    member = f"{sortable(message.sent_at)}{message.id}"
    for queued in (False, True) if message.state is MessageState.QUEUED else (False,):
        yield _of_tenant(message.tenant, queued), member, "", ""
        yield _of_recipient(message.tenant, message.recipient, queued), member, "", ""
    if message.conversation is not None:
        yield _of_conversation(message.tenant, message.conversation), member, "", ""


def _matches(message: Message, recipients: frozenset[AgentName] | None, queued_only: bool) -> bool:
    """What the index of a conversation does not say."""
    return (recipients is None or message.recipient in recipients) and (
        not queued_only or message.state is MessageState.QUEUED
    )


def _documents(tenant: TenantId) -> str:
    return f"m:{framed(tenant)}"


def _of_tenant(tenant: TenantId, queued: bool) -> str:
    return f"{'queued' if queued else 'sent'}:{framed(tenant)}"


def _of_recipient(tenant: TenantId, recipient: AgentName, queued: bool) -> str:
    return f"{'queued' if queued else 'sent'}:{framed(tenant, recipient)}"


def _of_conversation(tenant: TenantId, conversation: str) -> str:
    return f"conversation:{framed(tenant, conversation)}"
