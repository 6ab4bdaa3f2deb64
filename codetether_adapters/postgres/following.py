"""Following what other replicas do: their notices, and the log's own end every second, as notices may be lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Final

from codetether_adapters.postgres.notices import Notice
from codetether_adapters.postgres.notifier import PostgresNotifier
from codetether_adapters.postgres.tail import Tail
from codetether_core.errors import Unavailable
from codetether_core.ports import Channel

__all__ = ["Following"]

_log = logging.getLogger(__name__)

_POLL: Final = 1.0
"""Seconds between two looks at the log's end, whether or not a notice came."""


class Following:
    """Keeps the tail at the end of the log, and wakes whom a notice names, until it is closed."""

    def __init__(self, tail: Tail, notifier: PostgresNotifier, channel: Channel, origin: str) -> None:
        self._tail = tail
        self._notifier = notifier
        self._channel = channel
        self._origin = origin
        self._tasks = [asyncio.create_task(_keep_on(each)) for each in (self._hear, self._look)]

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


async def _keep_on(follow: Callable[[], Awaitable[None]]) -> None:
    """Whatever goes wrong, readers go on hearing of what others commit."""
    while True:
        try:
            await follow()
        except Exception:
            _log.exception("Other replicas' commits could not be followed; trying again")
        await asyncio.sleep(_POLL)
