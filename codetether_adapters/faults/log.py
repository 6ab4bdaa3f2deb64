"""A log behind faults."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from codetether_adapters.faults.dice import Faults
from codetether_core.events import Cursor, Event, Guard, OutputHead, Page, Record, Topic
from codetether_core.ids import TaskId, TenantId
from codetether_core.ports import PAGE_BYTES, EventLog

__all__ = ["FaultyLog"]


class FaultyLog:
    """Every method as the log has it, if the dice allow (an ``EventLog``)."""

    def __init__(self, log: EventLog, faults: Faults) -> None:
        self._log = log
        self._faults = faults

    async def append(self, events: Sequence[Event], guard: Guard | None = None) -> None:
        await self._faults(lambda: self._log.append(events, guard))

    async def output_head(self, tenant: TenantId, task: TaskId) -> OutputHead:
        return await self._faults(lambda: self._log.output_head(tenant, task))

    async def read(
        self, topic: Topic, after: Cursor, *, limit: int = PAGE_BYTES, kinds: Collection[str] | None = None
    ) -> Page:
        return await self._faults(lambda: self._log.read(topic, after, limit=limit, kinds=kinds))

    async def head(self) -> Cursor:
        return await self._faults(self._log.head)

    async def start(self) -> Cursor:
        return await self._faults(self._log.start)

    async def slice(self, topic: Topic, kinds: Collection[str], *, offset: int, limit: int) -> Sequence[Record]:
        return await self._faults(lambda: self._log.slice(topic, kinds, offset=offset, limit=limit))

    async def count(self, topic: Topic, kinds: Collection[str]) -> int:
        return await self._faults(lambda: self._log.count(topic, kinds))

    async def latest(
        self,
        topic: Topic,
        kinds: Collection[str],
        limit: int,
        *,
        after: int = 0,
        before: int | None = None,
        size: int | None = None,
    ) -> Sequence[Record]:
        return await self._faults(lambda: self._log.latest(topic, kinds, limit, after=after, before=before, size=size))

    async def search(
        self,
        tenant: TenantId,
        text: str,
        kinds: Collection[str],
        limit: int,
        *,
        after: int = 0,
        before: int | None = None,
        size: int | None = None,
    ) -> Sequence[Record]:
        return await self._faults(
            lambda: self._log.search(tenant, text, kinds, limit, after=after, before=before, size=size)
        )

    async def oldest(self, before: datetime, limit: int) -> Page:
        return await self._faults(lambda: self._log.oldest(before, limit))

    async def trim(self, through: Cursor) -> int:
        return await self._faults(lambda: self._log.trim(through))
