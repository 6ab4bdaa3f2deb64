"""The log, whose events go through passages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from attrs import evolve, frozen

from codetether_adapters.protected.passage import Passage, inwards, outwards
from codetether_core.errors import SearchUnavailable
from codetether_core.events import Cursor, Event, Guard, OutputHead, Page, Record, Topic
from codetether_core.ids import TaskId, TenantId
from codetether_core.ports import PAGE_BYTES, EventLog

__all__ = ["ProtectedLog"]


@frozen
class ProtectedLog:
    """The whole log (an ``EventLog``)."""

    log: EventLog
    passages: tuple[Passage, ...]

    async def append(self, events: Sequence[Event], guard: Guard | None = None) -> None:
        await self.log.append(await inwards(self.passages, events), guard)

    async def output_head(self, tenant: TenantId, task: TaskId) -> OutputHead:
        return await self.log.output_head(tenant, task)

    async def read(
        self, topic: Topic, after: Cursor, *, limit: int = PAGE_BYTES, kinds: Collection[str] | None = None
    ) -> Page:
        return await self._shown(await self.log.read(topic, after, limit=limit, kinds=kinds))

    async def head(self) -> Cursor:
        return await self.log.head()

    async def start(self) -> Cursor:
        return await self.log.start()

    async def slice(self, topic: Topic, kinds: Collection[str], *, offset: int, limit: int) -> Sequence[Record]:
        return await outwards(self.passages, await self.log.slice(topic, kinds, offset=offset, limit=limit))

    async def count(self, topic: Topic, kinds: Collection[str]) -> int:
        return await self.log.count(topic, kinds)

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
        found = await self.log.latest(topic, kinds, limit, after=after, before=before, size=size)
        return await outwards(self.passages, found)

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
        """``SearchUnavailable`` where the store cannot read what it has."""
        if not all(passage.searchable for passage in self.passages):
            raise SearchUnavailable
        found = await self.log.search(tenant, text, kinds, limit, after=after, before=before, size=size)
        return await outwards(self.passages, found)

    async def oldest(self, before: datetime, limit: int) -> Page:
        return await self._shown(await self.log.oldest(before, limit))

    async def trim(self, through: Cursor) -> int:
        return await self.log.trim(through)

    async def _shown(self, page: Page) -> Page:
        shown = await outwards(self.passages, page.records)
        return page if shown is page.records else evolve(page, records=tuple(shown))
