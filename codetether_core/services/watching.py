"""Following the log: listen, then read from the cursor, then wait."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from datetime import timedelta
from typing import Final

from attrs import frozen

from codetether_core.errors import CursorUnknown
from codetether_core.events import Cursor, Page, Topic
from codetether_core.ports import Clock, EventLog, Notifier

__all__ = ["Resync", "Watching"]


_NOTHING: Final = timedelta()


@frozen
class Resync:
    """The reader's cursor means nothing here any more: take a snapshot, then go on from ``cursor``."""

    cursor: Cursor
    reason: str


@frozen
class Watching:
    """Readers of the log."""

    log: EventLog
    notifier: Notifier
    clock: Clock

    async def follow(
        self,
        topic: Topic,
        after: Cursor | None = None,
        *,
        from_start: bool = False,
        kinds: Collection[str] | None = None,
        beat: timedelta = timedelta(seconds=15),
    ) -> AsyncGenerator[Page | Resync, None]:
        """Every record of the topic after the cursor, for ever, in bounded pages, none lost and none twice.

        Without a cursor it begins now, or ``from_start``. A page without records comes at least every ``beat``, and
        first of all, as soon as nothing that happens from then on can be missed.
        """
        with self.notifier.listen(topic) as bell:
            cursor = after or (await self.log.start() if from_start else await self.log.head())
            yield Page((), cursor)
            due = self.clock.now() + beat
            while True:
                try:
                    page = await self.log.read(topic, cursor, kinds=kinds)
                except CursorUnknown as unknown:
                    cursor = await self.log.start()
                    yield Resync(cursor, unknown.message)
                    continue
                cursor = page.cursor
                if page.records:
                    yield page
                    due = self.clock.now() + beat
                if page.more:
                    continue
                quiet = due - self.clock.now()
                if quiet <= _NOTHING or not await bell.wait(quiet):
                    yield Page((), cursor)
                    due = self.clock.now() + beat

    async def replay(
        self, topic: Topic, after: Cursor | None = None, *, kinds: Collection[str] | None = None
    ) -> AsyncGenerator[Page | Resync, None]:
        """What the topic has after the cursor (without one: from the start), in bounded pages, up to now."""
        cursor, more = after or await self.log.start(), True
        while more:
            try:
                page = await self.log.read(topic, cursor, kinds=kinds)
            except CursorUnknown as unknown:
                cursor = await self.log.start()
                yield Resync(cursor, unknown.message)
                continue
            cursor, more = page.cursor, page.more
            if page.records:
                yield page
