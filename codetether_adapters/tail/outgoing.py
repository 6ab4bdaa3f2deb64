"""Texts on their way to other processes: nobody waits for them, and those that wait go together."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from codetether_core.errors import Unavailable

__all__ = ["FIRST_PAUSE", "Outgoing", "rest"]

FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 2.0
"""Seconds before a lost connection is tried again, at first and in the end."""

_KEPT: Final = 1000
"""Texts that wait at most: the older ones of more are dropped."""

_LEAVING: Final = 1.0
"""Seconds that the last texts are given."""


class Outgoing:
    """Hands to ``send`` what was put meanwhile, one batch after the other; what ``Unavailable`` stops is dropped."""

    def __init__(self, send: Callable[[Sequence[str]], Awaitable[object]]) -> None:
        self._send = send
        self._waiting: deque[str] = deque(maxlen=_KEPT)
        self._sending: asyncio.Task[None] | None = None
        self._pause = FIRST_PAUSE
        self._closed = False

    def put(self, text: str) -> None:
        """Send it soon."""
        if self._closed:
            return
        self._waiting.append(text)
        if self._sending is None:
            self._sending = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Send what waits, if that can be done quickly, and nothing more."""
        self._closed = True
        if self._sending is not None:
            await asyncio.wait([self._sending], timeout=_LEAVING)
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.wait([self._sending])

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch = [*self._waiting]
                self._waiting.clear()
                try:
                    await self._send(batch)
                except Unavailable:
                    self._pause = await rest(self._pause)
                else:
                    self._pause = FIRST_PAUSE
        finally:
            self._sending = None


async def rest(pause: float) -> float:
    """Wait for about so many seconds, each process a little else; how long to wait the next time."""
    await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - so that they spread
    return min(2 * pause, _LONGEST_PAUSE)
