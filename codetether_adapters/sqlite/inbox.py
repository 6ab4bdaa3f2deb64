"""The inbox in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from codetether_adapters.sqlite.encoding import decoded, document, microseconds
from codetether_adapters.sqlite.reader import Reader
from codetether_adapters.sqlite.transaction import Transaction
from codetether_adapters.sqlite.writer import Writer
from codetether_adapters.tail import encoded
from codetether_core.errors import AlreadyExists, NotFound, VersionConflict
from codetether_core.events import Event
from codetether_core.ids import AgentName, MessageId, TenantId
from codetether_core.messages import Message, MessageState

__all__ = ["SqliteInbox"]

_ADD: Final = "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_GET: Final = "SELECT body FROM messages WHERE tenant = ? AND id = ?"
_SWAP: Final = "UPDATE messages SET version = ?, queued = ?, body = ? WHERE tenant = ? AND id = ? AND version = ?"


class SqliteInbox:
    """All messages of one file (an ``Inbox``)."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def add(self, message: Message, events: Sequence[Event] = ()) -> None:
        """Insert it."""
        entries = encoded(events)
        row = (
            message.tenant,
            message.id,
            message.version,
            message.recipient,
            message.conversation,
            microseconds(message.sent_at),
            _queued(message),
            document(message),
        )

        def insert(transaction: Transaction) -> None:
            try:
                transaction.execute(_ADD, row)
            except sqlite3.IntegrityError:
                raise AlreadyExists("message", message.id) from None
            transaction.append(entries)

        await self._writer.write(insert)

    async def get(self, tenant: TenantId, id: MessageId) -> Message:
        """By primary key."""
        row = self._reader.row(_GET, tenant, id)
        if row is None:
            raise NotFound("message", id)
        return decoded(Message, row[0])

    async def replace(self, old: Message, new: Message, events: Sequence[Event] = ()) -> None:
        """Update the row that has the old version."""
        entries = encoded(events)
        row = new.version, _queued(new), document(new), old.tenant, old.id, old.version

        def swap(transaction: Transaction) -> None:
            if transaction.execute(_SWAP, row).rowcount != 1:
                raise VersionConflict("The message was changed meanwhile", id=old.id)
            transaction.append(entries)

        await self._writer.write(swap)

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
        conditions: dict[str, Sequence[Any]] = {"tenant = ?": (tenant,)}
        if recipients is not None:
            conditions[f"recipient IN ({', '.join('?' * len(recipients))})"] = sorted(recipients)
        if conversation is not None:
            conditions["conversation = ?"] = (conversation,)
        if queued_only:
            conditions["queued"] = ()
        order = "sent, id" if queued_only else "sent DESC, id DESC"
        sql = f"SELECT body FROM messages WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT ?"  # noqa: S608
        values = [value for given in conditions.values() for value in given]

        def page(connection: sqlite3.Connection) -> Sequence[Message]:
            found = connection.execute(sql, (*values, limit)).fetchall()
            return [decoded(Message, body) for (body,) in (found if queued_only else reversed(found))]

        return await self._reader.scan(page)


def _queued(message: Message) -> bool:
    return message.state is MessageState.QUEUED
