"""The tail: the ring of the log's recent end that all readers of this process share.

What this process commits goes into the ring straight away if it follows what is there. Everything else is read once,
in order, when somebody says that it exists.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from typing import Final

from codetether_adapters.postgres import log_queries as queries
from codetether_adapters.postgres.connection import Row
from codetether_adapters.postgres.encoding import microseconds
from codetether_adapters.postgres.reader import Overseer
from codetether_adapters.tail import LocalNotifier, Ring
from codetether_core.errors import Unavailable
from codetether_core.events import ERASING_KINDS, Cursor, Record, Topic, erased_under
from codetether_core.ids import TenantId

__all__ = ["Tail"]

_NOWHERE: Final = Topic(TenantId(""))
_ROWS: Final = 500
"""Records that are read at a time."""


class Tail:
    """``ring`` has the log up to its head; ``epoch`` and ``start`` are as the database had them last."""

    def __init__(self, overseer: Overseer, notifier: LocalNotifier) -> None:
        self.epoch = ""
        self.start = 0
        self.ring = Ring(0)
        self._overseer = overseer
        self._notifier = notifier
        self._known = 0
        self._last: Record | None = None
        self._reading = asyncio.Lock()

    @property
    def head(self) -> Cursor:
        """The end of what the ring has."""
        return Cursor(self.epoch, self.ring.head)

    async def open(self) -> None:
        """Begin where the log ends now."""
        self.epoch, self.start, head, *_ = await self._state()
        self.ring = Ring(head)

    def publish(self, head: int, records: Sequence[Record], wake: Iterable[Topic]) -> None:
        """Take what this process appended after ``head``, and ring its bells."""
        if head == self.ring.head:
            self._take(records)
        self._known = max(self._known, head + len(records))
        self._notifier.ring([*wake, *{record.topic for record in records}])

    def learn(self, position: int) -> None:
        """Know that the log goes that far, as somebody has seen: who reads it next sees as much."""
        self._known = max(self._known, position)

    def trimmed(self, start: int) -> None:
        """Know that what was up to there is forgotten."""
        self.start = max(self.start, start)

    async def settle(self) -> None:
        """Return once the ring has whatever there was when this process wrote last, and what it wrote."""
        await self.reach(self._known)

    async def reach(self, position: int) -> None:
        """Return once the ring has the log up to there; ``Unavailable``."""
        if self.ring.head < position:
            await self._catch_up()

    async def refresh(self) -> None:
        """See how the log stands in the database, and read what is new."""
        last, before, known = self._last, self.ring.head, self.epoch
        epoch, start, head, erased, seen = await self._state()
        moved = last is not None and before > start and not erased and seen != _mark(last)
        if epoch == self.epoch == known and (head < before or moved):
            await self._lose(epoch)
            epoch, start, head, *_ = await self._state()
        if epoch != self.epoch:
            self._begin_again(epoch, head)
        self.start = max(self.start, start)
        await self.reach(head)

    async def _catch_up(self) -> None:
        """Read what follows the ring, one at a time, and wake its readers."""
        async with self._reading:
            while True:
                ring = self.ring
                rows = await self._overseer.rows(queries.NEWS, ring.head, _ROWS)
                if ring is not self.ring:
                    continue
                news = [record for record in map(queries.record_of, rows) if record.position > ring.head]
                self._take(news)
                self._notifier.ring({record.topic for record in news})
                if len(rows) < _ROWS:
                    return

    def _take(self, records: Sequence[Record]) -> None:
        if records:
            self.ring.extend(records)
            self._last = records[-1]

    async def _lose(self, epoch: str) -> None:
        """The database lacks what it had, or has something else in its place: say so to all readers, once for all
        replicas, with a new epoch.
        """
        await self._overseer.rows(queries.LOST, secrets.token_hex(8), epoch)

    def _begin_again(self, epoch: str, head: int) -> None:
        self.epoch, self.start, self._known = epoch, 0, 0
        self.ring, self._last = Ring(head), None

    async def _state(self) -> tuple[str, int, int, bool, Row]:
        """The epoch, the log's two ends, whether what is at the end of the ring was erased, and the mark of it."""
        place = self.ring.head
        topic = erased_under(self._last.topic) if self._last else _NOWHERE
        values = (topic.tenant, topic.scope, topic.subject, place, [*ERASING_KINDS], place)
        row = await self._overseer.row(queries.STATE, *values)
        if row is None:
            raise Unavailable("The PostgreSQL store has no epoch", hint="restore a backup of the whole schema")
        epoch, start, head, erased, *seen = row
        return epoch, start, head, erased, (*seen,)


def _mark(record: Record) -> Row:
    """What tells a record from another one that was given its position."""
    return record.number, microseconds(record.at)
