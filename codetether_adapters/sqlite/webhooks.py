"""Webhooks in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from codetether_adapters.sqlite.encoding import decoded, document, microseconds, moment
from codetether_adapters.sqlite.reader import Reader
from codetether_adapters.sqlite.transaction import Transaction
from codetether_adapters.sqlite.writer import Writer
from codetether_adapters.tail import encoded
from codetether_core.errors import AlreadyExists, NotFound, VersionConflict
from codetether_core.events import Event
from codetether_core.ids import CodebaseId, TaskId, TenantId
from codetether_core.webhooks import Webhook, WebhookState

__all__ = ["SqliteWebhooks"]

_ADD: Final = "INSERT INTO webhooks VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_SWAP: Final = (
    "UPDATE webhooks SET version = ?, dead = ?, due = ?, body = ? WHERE tenant = ? AND id = ? AND version = ?"
)
_REMOVE: Final = "DELETE FROM webhooks WHERE tenant = ? AND id = ? AND version = ?"
_GET: Final = "SELECT body FROM webhooks WHERE tenant = ? AND id = ?"
_LIST: Final = "SELECT body FROM webhooks WHERE tenant = ? ORDER BY id"
_OF_TASK: Final = "SELECT body FROM webhooks WHERE tenant = ? AND codebase = ? AND task = ? ORDER BY id"
_DUE: Final = "SELECT body FROM webhooks WHERE due <= ? ORDER BY due, id LIMIT ?"
_NEXT_DUE: Final = "SELECT due FROM webhooks WHERE due IS NOT NULL ORDER BY due LIMIT 1"
_DEAD: Final = "SELECT body FROM webhooks WHERE dead AND tenant = ? AND id > ? ORDER BY id LIMIT ?"


class SqliteWebhooks:
    """All webhooks of one file (a ``WebhookStore``)."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def add(self, value: Webhook, events: Sequence[Event] = ()) -> None:
        """Insert it."""
        entries = encoded(events)
        place = value.codebase, value.task, value.state is WebhookState.DEAD, _due(value), document(value)

        def insert(transaction: Transaction) -> None:
            if transaction.execute(_ADD, (value.tenant, value.id, value.version, *place)).rowcount != 1:
                raise AlreadyExists("webhook", value.id)
            transaction.append(entries)

        await self._writer.write(insert)

    async def get(self, tenant: TenantId, id: str) -> Webhook:
        """By primary key."""
        row = self._reader.row(_GET, tenant, id)
        if row is None:
            raise NotFound("webhook", id)
        return decoded(Webhook, row[0])

    async def replace(self, old: Webhook, new: Webhook, events: Sequence[Event] = ()) -> None:
        """Update the row that has the old version."""
        row = new.version, new.state is WebhookState.DEAD, _due(new), document(new)
        await self._write(_SWAP, (*row, old.tenant, old.id, old.version), old, events)

    async def remove(self, old: Webhook, events: Sequence[Event] = ()) -> None:
        """Delete the row that has the old version."""
        await self._write(_REMOVE, (old.tenant, old.id, old.version), old, events)

    async def list(self, tenant: TenantId) -> Sequence[Webhook]:
        """In the order of the primary key."""
        return await self._found(_LIST, tenant)

    async def of_task(self, tenant: TenantId, codebase: CodebaseId, task: TaskId) -> Sequence[Webhook]:
        """By the index."""
        return [decoded(Webhook, body) for (body,) in self._reader.rows(_OF_TASK, tenant, codebase, task)]

    async def due(self, now: datetime, limit: int) -> Sequence[Webhook]:
        """The head of the index."""
        return await self._found(_DUE, microseconds(now), limit)

    async def next_due(self) -> datetime | None:
        """The first of it."""
        row = self._reader.row(_NEXT_DUE)
        return None if row is None else moment(row[0])

    async def dead(self, tenant: TenantId, limit: int, after: str = "") -> Sequence[Webhook]:
        """A stretch of the index."""
        return await self._found(_DEAD, tenant, after, limit)

    async def _write(self, sql: str, values: tuple[Any, ...], old: Webhook, events: Sequence[Event]) -> None:
        entries = encoded(events)

        def write(transaction: Transaction) -> None:
            if transaction.execute(sql, values).rowcount != 1:
                raise VersionConflict("The webhook was changed meanwhile", id=old.id)
            transaction.append(entries)

        await self._writer.write(write)

    async def _found(self, sql: str, *values: Any) -> Sequence[Webhook]:
        def found(connection: sqlite3.Connection) -> Sequence[Webhook]:
            return [decoded(Webhook, body) for (body,) in connection.execute(sql, values).fetchall()]

        return await self._reader.scan(found)


def _due(webhook: Webhook) -> int | None:
    return None if webhook.due is None else microseconds(webhook.due)
