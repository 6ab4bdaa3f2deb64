"""Following what other replicas do: their notices, and the log's own end every second, as notices may be lost."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import Final

from codetether_adapters.postgres.notices import Notice
from codetether_adapters.postgres.notifier import PostgresNotifier
from codetether_adapters.postgres.tail import Tail
from codetether_core.errors import Unavailable
from codetether_core.ports import Channel

__all__ = ["Following"]

_POLL: Final = 1.0
"""Seconds between two looks at the log's end, whether or not a notice came."""


class Following:
    """Keeps the tail at the end of the log, and wakes whom a notice names, until it is closed."""

    def __init__(self, tail: Tail, notifier: PostgresNotifier, channel: Channel, origin: str) -> None:
        self._tail = tail
        self._notifier = notifier
        self._channel = channel
        self._origin = origin
        self._tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._look())]

    async def close(self) -> None:
        """Stop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    async def _hear(self) -> None:
        async with aclosing(self._channel.hear()) as texts:
            async for text in texts:
                if text is None:
                    with suppress(Unavailable):  # the next look may find the database again
                        await self._tail.refresh()
                    self._notifier.ring_all()
                elif (notice := Notice.parse(text)) is not None and notice.origin != self._origin:
                    with suppress(Unavailable):
                        await self._tail.reach(notice.head)
                    self._notifier.ring(notice.wake)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_POLL)
            with suppress(Unavailable):
                await self._tail.refresh()
