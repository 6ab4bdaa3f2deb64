"""Webhooks in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from codetether_adapters.postgres.encoding import decoded, document, microseconds, moment
from codetether_adapters.postgres.operation import Operation, if_written
from codetether_adapters.postgres.reader import Overseer, Reader
from codetether_adapters.postgres.writer import Writer
from codetether_adapters.tail import encoded
from codetether_core.errors import AlreadyExists, CodeTetherError, NotFound, VersionConflict
from codetether_core.events import Event
from codetether_core.ids import CodebaseId, TaskId, TenantId
from codetether_core.webhooks import Webhook, WebhookState

__all__ = ["PostgresWebhooks"]

_ADD: Final = """
INSERT INTO webhooks (tenant, id, version, codebase, task, dead, due, body) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING RETURNING TRUE
"""
_SWAP: Final = """
UPDATE webhooks SET version = %s, dead = %s, due = %s, body = %s WHERE tenant = %s AND id = %s AND version = %s
RETURNING TRUE
"""
_REMOVE: Final = "DELETE FROM webhooks WHERE tenant = %s AND id = %s AND version = %s RETURNING TRUE"
_GET: Final = "SELECT body FROM webhooks WHERE tenant = %s AND id = %s"
_LIST: Final = "SELECT body FROM webhooks WHERE tenant = %s ORDER BY id"
_OF_TASK: Final = "SELECT body FROM webhooks WHERE tenant = %s AND codebase = %s AND task = %s ORDER BY id"
_DUE: Final = "SELECT body FROM webhooks WHERE due <= %s ORDER BY due, id LIMIT %s"
_NEXT_DUE: Final = "SELECT due FROM webhooks WHERE due IS NOT NULL ORDER BY due LIMIT 1"
_DEAD: Final = "SELECT body FROM webhooks WHERE dead AND tenant = %s AND id > %s ORDER BY id LIMIT %s"


class PostgresWebhooks:
    """All webhooks of one database (a ``WebhookStore``)."""

    def __init__(self, writer: Writer, reader: Reader, overseer: Overseer) -> None:
        self._writer = writer
        self._reader = reader
        self._overseer = overseer

    async def add(self, value: Webhook, events: Sequence[Event] = ()) -> None:
        """Insert it."""
        place = value.codebase, value.task, value.state is WebhookState.DEAD, _due(value), document(value)
        row = [value.tenant, value.id, value.version, *place]
        await self._write(_ADD, row, value, events, AlreadyExists("webhook", value.id))

    async def get(self, tenant: TenantId, id: str) -> Webhook:
        """By primary key."""
        row = await self._reader.row(tenant, _GET, tenant, id)
        if row is None:
            raise NotFound("webhook", id)
        return decoded(Webhook, row[0])

    async def replace(self, old: Webhook, new: Webhook, events: Sequence[Event] = ()) -> None:
        """Update the row that has the old version."""
        row = new.version, new.state is WebhookState.DEAD, _due(new), document(new)
        await self._write(_SWAP, [*row, old.tenant, old.id, old.version], old, events, _changed(old))

    async def remove(self, old: Webhook, events: Sequence[Event] = ()) -> None:
        """Delete the row that has the old version."""
        await self._write(_REMOVE, [old.tenant, old.id, old.version], old, events, _changed(old))

    async def list(self, tenant: TenantId) -> Sequence[Webhook]:
        """In the order of the primary key."""
        return _webhooks(await self._reader.rows(tenant, _LIST, tenant))

    async def of_task(self, tenant: TenantId, codebase: CodebaseId, task: TaskId) -> Sequence[Webhook]:
        """By the index."""
        return _webhooks(await self._reader.rows(tenant, _OF_TASK, tenant, codebase, task))

    async def due(self, now: datetime, limit: int) -> Sequence[Webhook]:
        """The head of the index."""
        return _webhooks(await self._overseer.rows(_DUE, microseconds(now), limit))

    async def next_due(self) -> datetime | None:
        """The first of it."""
        row = await self._overseer.row(_NEXT_DUE)
        return None if row is None else moment(row[0])

    async def dead(self, tenant: TenantId, limit: int, after: str = "") -> Sequence[Webhook]:
        """A stretch of the index."""
        return _webhooks(await self._reader.rows(tenant, _DEAD, tenant, after, limit))

    async def _write(
        self, sql: str, values: Sequence[object], value: Webhook, events: Sequence[Event], refusal: CodeTetherError
    ) -> None:
        await self._writer.write(
            Operation(
                tenant=value.tenant,
                sql=sql,
                values=values,
                settle=if_written(encoded(events), refusal),
                row=f"webhook {value.tenant} {value.id}",
                quiet=not events,
            )
        )


def _due(webhook: Webhook) -> int | None:
    return None if webhook.due is None else microseconds(webhook.due)


def _changed(old: Webhook) -> VersionConflict:
    return VersionConflict("The webhook was changed meanwhile", id=old.id)


def _webhooks(rows: Sequence[tuple[bytes]]) -> Sequence[Webhook]:
    return [decoded(Webhook, body) for (body,) in rows]
