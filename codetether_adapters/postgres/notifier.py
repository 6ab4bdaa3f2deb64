"""Wake-ups that reach every replica."""

from __future__ import annotations

from collections.abc import Iterable

from codetether_adapters.postgres.notices import notices
from codetether_adapters.tail import LocalNotifier
from codetether_core.events import Topic
from codetether_core.ports import Channel

__all__ = ["PostgresNotifier"]


class PostgresNotifier(LocalNotifier):
    """The bells of this process, and a word to the others over a channel (a ``Notifier``)."""

    def __init__(self, channel: Channel, origin: str) -> None:
        super().__init__()
        self._channel = channel
        self._origin = origin

    async def notify(self, topics: Iterable[Topic]) -> None:
        """Ring here at once, elsewhere soon."""
        rung = [*topics]
        self.ring(rung)
        self.tell(0, rung)

    def tell(self, head: int, wake: Iterable[Topic]) -> None:
        """Let the others know of a commit: where the log ends with it, and whom to wake besides."""
        for notice in notices(self._origin, head, wake):
            self._channel.publish(notice)

    async def ping(self) -> None:
        """Whether the others can be told, and tell us."""
        await self._channel.ping()
