"""The inbox in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from codetether_adapters.postgres.encoding import decoded, document, microseconds
from codetether_adapters.postgres.operation import Operation, if_written
from codetether_adapters.postgres.reader import Reader
from codetether_adapters.postgres.writer import Writer
from codetether_adapters.tail import encoded
from codetether_core.errors import AlreadyExists, NotFound, VersionConflict
from codetether_core.events import Event
from codetether_core.ids import AgentName, MessageId, TenantId
from codetether_core.messages import Message, MessageState

__all__ = ["PostgresInbox"]

_ADD: Final = """
INSERT INTO messages (tenant, id, version, recipient, conversation, sent, queued, body)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING TRUE
"""
_GET: Final = "SELECT body FROM messages WHERE tenant = %s AND id = %s"
_SWAP: Final = """
UPDATE messages SET version = %s, queued = %s, body = %s WHERE tenant = %s AND id = %s AND version = %s RETURNING TRUE
"""


class PostgresInbox:
    """All messages of one database (an ``Inbox``)."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def add(self, message: Message, events: Sequence[Event] = ()) -> None:
        """Insert it."""
        values = [
            message.tenant,
            message.id,
            message.version,
            message.recipient,
            message.conversation,
            microseconds(message.sent_at),
            _queued(message),
            document(message),
        ]
        settle = if_written(encoded(events), AlreadyExists("message", message.id))
        await self._writer.write(
            Operation(tenant=message.tenant, sql=_ADD, values=values, settle=settle, row=_row(message))
        )

    async def get(self, tenant: TenantId, id: MessageId) -> Message:
        """By primary key."""
        row = await self._reader.row(tenant, _GET, tenant, id)
        if row is None:
            raise NotFound("message", id)
        return decoded(Message, row[0])

    async def replace(self, old: Message, new: Message, events: Sequence[Event] = ()) -> None:
        """Update the row that has the old version."""
        values = [new.version, _queued(new), document(new), old.tenant, old.id, old.version]
        settle = if_written(encoded(events), VersionConflict("The message was changed meanwhile", id=old.id))
        await self._writer.write(
            Operation(tenant=old.tenant, sql=_SWAP, values=values, settle=settle, row=_row(old), quiet=not events)
        )

    async def list(
        self,
        tenant: TenantId,
        *,
        recipients: frozenset[AgentName] | None = None,
        conversation: str | None = None,
        queued_only: bool = False,
        limit: int = 100,
    ) -> Sequence[Message]:
        """From the end that is asked for, by the index that fits."""
        conditions: dict[str, Sequence[Any]] = {"tenant = %s": [tenant]}
        if recipients is not None:
            conditions["recipient = ANY (%s::text[])"] = [sorted(recipients)]
        if conversation is not None:
            conditions["conversation = %s"] = [conversation]
        if queued_only:
            conditions["queued"] = []
        order = "sent, id" if queued_only else "sent DESC, id DESC"
        sql = f"SELECT body FROM messages WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT %s"  # noqa: S608
        values = [value for given in conditions.values() for value in given]
        found = await self._reader.rows(tenant, sql, *values, limit)
        return [decoded(Message, body) for (body,) in (found if queued_only else reversed(found))]


def _queued(message: Message) -> bool:
    return message.state is MessageState.QUEUED


def _row(message: Message) -> str:
    return f"message {message.tenant} {message.id}"
