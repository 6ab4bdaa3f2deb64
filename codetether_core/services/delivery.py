"""One webhook in the hands of whoever has its lease: what its receiver lacks, in order, each until it is taken."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field, frozen

from codetether_core.errors import (
    Busy,
    CodeTetherError,
    CursorUnknown,
    Invalid,
    NotConfigured,
    NotFound,
    Unavailable,
    Undecipherable,
    VersionConflict,
)
from codetether_core.events import Cursor
from codetether_core.ports import Clock, Courier, Entropy, EventLog, Payload, Renderer, TaskStore, WebhookStore
from codetether_core.services.task_writer import TASK_KINDS
from codetether_core.services.webhook_headers import headers_of
from codetether_core.services.webhook_keeping import WebhookKeeping, webhook_event
from codetether_core.tasks import OUTPUT_KINDS
from codetether_core.webhooks import (
    Webhook,
    WebhookState,
    delivered,
    failed,
    finish,
    give_up,
    renew,
    rest,
)

__all__ = ["Delivery", "Means"]

_KINDS: Final = tuple(kind for kind in TASK_KINDS if kind not in OUTPUT_KINDS)
"""Of how a task stands and what it asks; what it prints is for those who watch it."""

_PATIENCE: Final = timedelta(seconds=15)
"""With the receiver, and for the turn to ask it, unless a quarter of the lease is shorter: who sends has half of it."""

_ASIDE: Final = timedelta(seconds=5)
"""Until a turn is waited for again."""

_GONE: Final = 410


@frozen(kw_only=True)
class Means:
    """What delivering takes; ``ttl`` is for how long a webhook is in one pair of hands without a word from there."""

    webhooks: WebhookStore
    tasks: TaskStore
    log: EventLog
    keeping: WebhookKeeping
    courier: Courier
    renderer: Renderer
    clock: Clock
    entropy: Entropy
    ttl: timedelta


@define(eq=False)
class Delivery:
    """``VersionConflict`` from any of these: it is in other hands, was configured anew, or is gone.

    A message that was sent and not taken, or not noted as taken, is sent again under the same id.
    """

    means: Means
    webhook: Webhook
    _place: Cursor | None = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._place = Cursor.parse(self.webhook.after, "after") if self.webhook.after else None

    @property
    def goes_on(self) -> bool:
        """Whether more may be to be delivered, by us."""
        return self.webhook.state is WebhookState.DELIVERING

    @property
    def renew_at(self) -> datetime:
        """When the lease is to be renewed."""
        return (self.webhook.due or self.webhook.updated_at) - self.means.ttl / 2

    async def catch_up(self) -> None:
        """Deliver everything that there is by now, or as much as the receiver takes."""
        topic = self.webhook.task_topic
        while self.goes_on:
            if self._place is None:
                await self._snapshot()
                continue
            try:
                page = await self.means.log.read(topic, self._place, kinds=_KINDS)
            except CursorUnknown:  # the log was begun anew, or has forgotten what was not told yet
                self._place = None
                continue
            for record in page.records:
                if record.number > self.webhook.number:
                    place = Cursor(page.cursor.epoch, record.position)
                    if not await self._send(self.means.renderer.update(self.webhook, record), place, record.number):
                        return
            self._place = page.cursor
            if not page.more:
                return

    async def renew(self) -> None:
        """Keep the lease."""
        await self._swap(renew(self.webhook, self._place, self.means.clock.now(), self.means.ttl))

    async def rest(self, wait: timedelta = timedelta()) -> None:
        """Give the lease back: somebody is to begin again after that time."""
        now = self.means.clock.now()
        await self._swap(rest(self.webhook, self._place, now + wait, now))

    async def _snapshot(self) -> None:
        """The task as it stands, and with it everything that its log had before it was read."""
        means, webhook = self.means, self.webhook
        place = await means.log.head()
        last = await means.log.latest(webhook.task_topic, TASK_KINDS, 1)
        try:
            task = await means.tasks.get(webhook.tenant, webhook.task)
        except NotFound as error:
            await self._not_told(error.message)
            return
        number = last[-1].number if last else task.filed_to
        await self._send(means.renderer.snapshot(webhook, task, number), place, number)

    async def _send(self, rendering: Awaitable[Payload | None], place: Cursor, number: int) -> bool:
        """Have the receiver take it, if it comes to anything, and note that or why not; whether we go on.

        What cannot be put into words at all counts as not taken, so that it is told of; a fault of ours is raised too.
        """
        status, problem = 0, ""
        try:
            payload = await rendering
        except CodeTetherError as error:
            return await self._not_told(error.message)
        except Exception as error:
            await self._not_told(f"It could not be put into words ({type(error).__name__})")
            raise
        if payload is None:
            return True
        try:
            if self.renew_at <= self.means.clock.now():
                await self.renew()
            else:
                await self._check()
            status = await self._post(payload, f"{self.webhook.id}.{number}")
        except Busy:  # the receiver has done nothing wrong
            await self.rest(_ASIDE)
            return False
        except (Unavailable, Invalid, NotConfigured, Undecipherable) as error:
            problem = error.message
        await self._swap(self._outcome(payload, status, problem, place, number))
        return self.goes_on

    async def _not_told(self, problem: str) -> bool:
        """Note that an attempt failed; nothing goes on then."""
        await self._swap(failed(self.webhook, problem, self.means.entropy.fraction(), self.means.clock.now()))
        return False

    async def _check(self) -> None:
        """Nobody who wants to hear no more is told, or somewhere else: the last look before something is sent."""
        webhook = self.webhook
        if (await self.means.webhooks.get(webhook.tenant, webhook.id)).version != webhook.version:
            raise VersionConflict("The webhook was changed meanwhile", id=webhook.id)

    async def _post(self, payload: Payload, id: str) -> int:
        means = self.means
        target = await means.keeping.target(self.webhook)
        headers = headers_of(payload, target, id, means.clock.now(), means.keeping.signer)
        return await means.courier.deliver(target.url, headers, payload.body, min(_PATIENCE, means.ttl / 4))

    def _outcome(self, payload: Payload, status: int, problem: str, place: Cursor, number: int) -> Webhook:
        now = self.means.clock.now()
        if 200 <= status < 300:
            self._place = place
            if payload.last:
                return finish(self.webhook, place, number, payload.told, now)
            return delivered(self.webhook, place, number, payload.told, now, self.means.ttl)
        if status == _GONE:
            return give_up(self.webhook, "The receiver is gone for good: it answered with status 410", now)
        problem = problem or f"The receiver answered with status {status}"
        return failed(self.webhook, problem, self.means.entropy.fraction(), now)

    async def _swap(self, new: Webhook) -> None:
        events = [webhook_event("push.dead", new, new.updated_at)] if new.state is WebhookState.DEAD else []
        await self.means.webhooks.replace(self.webhook, new, events)
        self.webhook = new
