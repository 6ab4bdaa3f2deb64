"""Webhooks in Redis, in their codebase's shard."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from codetether_adapters.redis.documents import ABSENT, Document, Place, Sweep
from codetether_adapters.redis.encoding import MOMENT_BYTES, decoded, document, sortable, unsorted
from codetether_adapters.redis.keys import framed
from codetether_adapters.redis.merging import merged
from codetether_adapters.redis.reader import Reader, Row
from codetether_adapters.redis.writer import CONFLICT, EXISTS, Writer
from codetether_adapters.tail import encoded
from codetether_core.errors import AlreadyExists, NotFound, VersionConflict
from codetether_core.events import Event
from codetether_core.ids import CodebaseId, TaskId, TenantId
from codetether_core.webhooks import Webhook, WebhookState

__all__ = ["RedisWebhooks", "webhooks_of"]

_EVERYTHING: Final = 2**31
_DUE: Final = "webhooks-due"
_LAST: Final = "\xff"
"""Comes after everything that a member may go on with."""


def webhooks_of(tenant: TenantId, codebase: CodebaseId, task: TaskId) -> Sweep:
    """All of a task's."""
    return Sweep(_of_task(tenant, codebase, task), 0, _documents(tenant))


class RedisWebhooks:
    """All webhooks of one store (a ``WebhookStore``)."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def add(self, value: Webhook, events: Sequence[Event] = ()) -> None:
        """Put it where there is none."""
        await self._write(_document(value, ABSENT), value, events)

    async def get(self, tenant: TenantId, id: str) -> Webhook:
        """Where its id says; one that does not end in its codebase's room may be anywhere."""
        layout, key = self._reader.layout, f"{_documents(tenant)}{id}"
        (body,) = await self._reader.fields(layout.of_id(id), key, "body")
        if body is None and layout.shards > 1:
            everywhere = await asyncio.gather(*(self._reader.fields(shard, key, "body") for shard in layout.every))
            body = next((found for (found,) in everywhere if found is not None), None)
        if body is None:
            raise NotFound("webhook", id)
        return decoded(Webhook, body)

    async def replace(self, old: Webhook, new: Webhook, events: Sequence[Event] = ()) -> None:
        """Swap it."""
        await self._write(_document(new, str(old.version)), new, events)

    async def remove(self, old: Webhook, events: Sequence[Event] = ()) -> None:
        """Take it away."""
        gone = Document(key=f"{_documents(old.tenant)}{old.id}", expected=str(old.version), version="")
        await self._write(gone, old, events)

    async def list(self, tenant: TenantId) -> Sequence[Webhook]:
        """By the index of ids."""
        return await self._found(self._reader.layout.every, f"webhooks:{tenant}", tenant, _EVERYTHING)

    async def of_task(self, tenant: TenantId, codebase: CodebaseId, task: TaskId) -> Sequence[Webhook]:
        """By the index."""
        shard = self._reader.layout.of_scope(tenant, codebase)
        return await self._found((shard,), _of_task(tenant, codebase, task), tenant, _EVERYTHING)

    async def due(self, now: datetime, limit: int) -> Sequence[Webhook]:
        """The head of each shard's index."""

        async def page(shard: int, offset: int, limit: int) -> tuple[int, list[Row]]:
            until = f"{sortable(now)}{_LAST}"
            return await self._reader.page(
                shard, [_DUE], "wh:", ("body",), offset=offset, limit=limit, rank=MOMENT_BYTES, until=until
            )

        _, rows = await merged(self._reader.layout.every, page, offset=0, limit=limit)
        return _webhooks(rows)

    async def next_due(self) -> datetime | None:
        """The first of them."""

        async def page(shard: int, offset: int, limit: int) -> tuple[int, list[Row]]:
            return await self._reader.page(shard, [_DUE], "", (), offset=offset, limit=limit)

        _, rows = await merged(self._reader.layout.every, page, offset=0, limit=1)
        return unsorted(rows[0][0][:MOMENT_BYTES]) if rows else None

    async def dead(self, tenant: TenantId, limit: int, after: str = "") -> Sequence[Webhook]:
        """A stretch of each shard's index."""
        return await self._found(self._reader.layout.every, f"webhooks-dead:{tenant}", tenant, limit, after)

    async def _found(
        self, shards: Iterable[int], index: str, tenant: TenantId, limit: int, after: str = ""
    ) -> Sequence[Webhook]:
        async def page(shard: int, offset: int, limit: int) -> tuple[int, list[Row]]:
            return await self._reader.page(
                shard, [index], _documents(tenant), ("body",), offset=offset, limit=limit, after=after
            )

        _, rows = await merged(shards, page, offset=0, limit=limit)
        return _webhooks(rows)

    async def _write(self, written: Document, value: Webhook, events: Sequence[Event]) -> None:
        shard = self._reader.layout.of_scope(value.tenant, value.codebase)
        outcome = await self._writer.write(shard, [written], encoded(events))
        if outcome.status == EXISTS:
            raise AlreadyExists("webhook", value.id)
        if outcome.status == CONFLICT:
            raise VersionConflict("The webhook was changed meanwhile", id=value.id)


def _document(value: Webhook, expected: str) -> Document:
    places: list[Place] = [
        (f"webhooks:{value.tenant}", value.id, "", ""),
        (_of_task(value.tenant, value.codebase, value.task), value.id, "", ""),
    ]
    if value.due is not None:
        places.append((_DUE, f"{sortable(value.due)}{framed(value.tenant)}{value.id}", "", ""))
    if value.state is WebhookState.DEAD:
        places.append((f"webhooks-dead:{value.tenant}", value.id, "", ""))
    return Document(
        key=f"{_documents(value.tenant)}{value.id}",
        expected=expected,
        version=str(value.version),
        fields={"body": document(value)},
        places=places,
    )


def _documents(tenant: TenantId) -> str:
    return f"wh:{framed(tenant)}"


def _of_task(tenant: TenantId, codebase: CodebaseId, task: TaskId) -> str:
    return f"webhooks-of:{framed(tenant, codebase, task)}"


def _webhooks(rows: Sequence[Row]) -> Sequence[Webhook]:
    return [decoded(Webhook, body) for _, body in rows if body is not None]
