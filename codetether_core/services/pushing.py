"""Telling receivers elsewhere what happens to tasks, from the durable log.

Any process may: it takes webhooks that are due under a lease and follows their tasks for as long as these go on, so
that each is in one pair of hands. What a process that dies had in hand is due again when the lease is over.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

from attrs import define, field

from codetether_core.errors import Conflict, NotFound
from codetether_core.ports import Listener, Notifier
from codetether_core.services.delivery import Delivery, Means
from codetether_core.webhooks import Webhook, begin

__all__ = ["Pushing"]

_BATCH: Final = 100
_SWEEP: Final = timedelta(seconds=10)
"""How late at most is noticed that something is due which others noted."""

_SHORTEST_PAUSE: Final = timedelta(milliseconds=50)
"""Between two looks at a log, or at what is due: a run that prints rings often."""

_ASIDE: Final = timedelta(seconds=60)


@define(eq=False)
class Pushing:
    """``taken`` has to be read somewhere in the process, and each of what it gives to be ``follow``-ed at once.

    It has up to ``most`` in hand. If there are more, those whose tasks are quiet take turns.
    """

    means: Means
    notifier: Notifier
    most: int = 1000
    _held: int = field(default=0, init=False)
    _crowded: bool = field(default=False, init=False)
    _leaving: bool = field(default=False, init=False)
    _desk: Listener | None = field(default=None, init=False)
    _bells: set[Listener] = field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        self.means.keeping.observers.append(self._ring)

    async def taken(self) -> AsyncGenerator[Webhook, None]:
        """Whatever is due, for ever; what another process is faster with is that one's."""
        with self.notifier.listen() as self._desk:
            while True:
                for webhook in await self._take():
                    yield webhook
                await self._desk.wait(await self._pause())

    async def follow(self, webhook: Webhook) -> None:
        """Deliver what happens until the task ends, the receiver fails, or we leave."""
        try:
            with self.notifier.listen(webhook.task_topic) as bell:
                self._bells.add(bell)
                try:
                    await self._follow(Delivery(self.means, webhook), bell)
                finally:
                    self._bells.remove(bell)
        except (Conflict, NotFound):  # it is in other hands, or was configured anew, or is gone
            return
        finally:
            self._held -= 1
            self._ring()

    def leave(self) -> None:
        """Take nothing more, and give back what is in hand as soon as it is not being sent."""
        self._leaving = True
        for bell in self._bells:
            bell.ring()

    async def _follow(self, delivery: Delivery, bell: Listener) -> None:
        clock = self.means.clock
        while True:
            await delivery.catch_up()
            if not delivery.goes_on:
                return
            if self._leaving:
                await delivery.rest()
                return
            if await bell.wait(max(delivery.renew_at - clock.now(), timedelta())):
                await clock.sleep(_SHORTEST_PAUSE)
            if clock.now() >= delivery.renew_at:
                if self._crowded:
                    self._crowded = False
                    await delivery.rest(_ASIDE)
                    return
                await delivery.renew()

    async def _take(self) -> Sequence[Webhook]:
        means, room = self.means, self.most - self._held
        if self._leaving:
            return []
        now, taken = means.clock.now(), list[Webhook]()
        for webhook in await means.webhooks.due(now, max(min(room, _BATCH), 1)):
            if not room:
                self._crowded = True
                break
            with suppress(Conflict):
                new = begin(webhook, now, means.ttl)
                await means.webhooks.replace(webhook, new)
                taken.append(new)
        self._held += len(taken)
        return taken

    async def _pause(self) -> timedelta | None:
        if self._leaving:
            return None
        due = None if self._held >= self.most else await self.means.webhooks.next_due()
        return _SWEEP if due is None else min(max(due - self.means.clock.now(), _SHORTEST_PAUSE), _SWEEP)

    def _ring(self) -> None:
        if self._desk is not None:
            self._desk.ring()
