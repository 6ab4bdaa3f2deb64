"""Wake-ups inside one process: a bell per reader, found by topic. No tasks, no queues; an idle bell is one future.

Bells ring in the order in which they came, so that a rehearsal under a seed can be had again.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from codetether_adapters.tail.places import widening
from codetether_core.events import Topic

__all__ = ["Bell", "LocalNotifier"]


class Bell:
    """One reader's bell (a ``Listener``), waited for by one task at a time."""

    __slots__ = ("_rung", "_waiter")

    def __init__(self) -> None:
        self._rung = False
        self._waiter: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """It stays rung until somebody waits."""
        self._rung = True
        _finish(self._waiter)

    async def wait(self, timeout: timedelta | None = None) -> bool:
        """Whether it was rung since the last wait, at the latest after ``timeout``."""
        if not self._rung:
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            timer = None if timeout is None else loop.call_later(timeout.total_seconds(), _finish, self._waiter)
            try:
                await self._waiter
            finally:
                self._waiter = None
                if timer is not None:
                    timer.cancel()
        rung, self._rung = self._rung, False
        return rung


class LocalNotifier:
    """The bells of this process (a ``Notifier``); ringing costs as much as there are bells to ring."""

    def __init__(self) -> None:
        self._bells: defaultdict[Topic, dict[Bell, None]] = defaultdict(dict)

    @contextmanager
    def listen(self, *topics: Topic) -> Iterator[Bell]:
        """A bell that hears these topics until the context is left."""
        bell = Bell()
        for topic in topics:
            self._bells[topic][bell] = None
        try:
            yield bell
        finally:
            for topic in set(topics):
                self._bells[topic].pop(bell, None)
                if not self._bells[topic]:
                    del self._bells[topic]

    async def notify(self, topics: Iterable[Topic]) -> None:
        """The port's way to ``ring``."""
        self.ring(topics)

    def ring(self, topics: Iterable[Topic]) -> None:
        """Ring whoever listens to one of the topics or to a wider one, each once."""
        if not self._bells:
            return
        for place in dict.fromkeys(place for topic in topics for place in widening(topic)):
            for bell in self._bells.get(place, ()):
                bell.ring()

    def ring_all(self) -> None:
        """Every bell there is, after a time in which nothing was heard from elsewhere: anybody may have been meant."""
        for bells in [*self._bells.values()]:
            for bell in bells:
                bell.ring()

    async def ping(self) -> None:
        """Nothing leaves this process, so nothing is in its way."""


def _finish(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
