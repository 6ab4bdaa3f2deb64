"""Wake-ups that reach every replica."""

from __future__ import annotations

from collections.abc import Iterable

from codetether_adapters.postgres.notices import CHANNEL, notices
from codetether_adapters.postgres.reader import Reader
from codetether_adapters.tail import LocalNotifier
from codetether_core.events import Topic

__all__ = ["PostgresNotifier"]


class PostgresNotifier(LocalNotifier):
    """The bells of this process, and a word to the others (a ``Notifier``); the stores' own commits bring theirs."""

    def __init__(self, reader: Reader, origin: str) -> None:
        super().__init__()
        self._reader = reader
        self._origin = origin

    async def notify(self, topics: Iterable[Topic]) -> None:
        """Ring here at once, then elsewhere; ``Unavailable``."""
        rung = [*topics]
        self.ring(rung)
        for notice in notices(self._origin, 0, rung):
            await self._reader.rows("SELECT FROM pg_notify(%s, %s)", CHANNEL, notice)

    def ring_all(self) -> None:
        """After a time in which nothing was heard: anybody may have been meant."""
        self.ring([*self._bells])
