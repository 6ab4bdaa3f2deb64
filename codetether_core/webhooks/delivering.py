"""What whoever delivers does to a webhook. Who was faster is told by the version: a lease needs no name.

``ttl`` is for how long nobody else begins.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from codetether_core.errors import Conflict
from codetether_core.events import Cursor
from codetether_core.webhooks.machine import Trigger
from codetether_core.webhooks.retry import backoff
from codetether_core.webhooks.webhook import Webhook, step

__all__ = ["GIVE_UP_AFTER", "begin", "delivered", "failed", "finish", "give_up", "renew", "rest"]

GIVE_UP_AFTER: Final = timedelta(hours=24)
"""For how long a receiver may fail."""

_LONGEST: Final = 300


def begin(webhook: Webhook, now: datetime, ttl: timedelta) -> Webhook:
    """Take the lease; ``Conflict`` if it is not due, because somebody has it or an attempt failed lately."""
    if webhook.due is not None and now < webhook.due:
        raise Conflict("Nothing is to be delivered yet", id=webhook.id, state=webhook.state)
    return step(webhook, Trigger.BEGIN, now, due=now + ttl)


def renew(webhook: Webhook, after: Cursor | None, now: datetime, ttl: timedelta) -> Webhook:
    """Keep the lease; what is before ``after`` was nothing to be delivered."""
    return step(webhook, Trigger.RENEW, now, due=now + ttl, after=_looked(webhook, after))


def delivered(webhook: Webhook, after: Cursor, number: int, told: str, now: datetime, ttl: timedelta) -> Webhook:
    """The receiver has everything up to this event."""
    return step(webhook, Trigger.DELIVER, now, due=now + ttl, **_reached(after, number, told))


def finish(webhook: Webhook, after: Cursor, number: int, told: str, now: datetime) -> Webhook:
    """The receiver has the last there is to be told."""
    return step(webhook, Trigger.FINISH, now, due=None, **_reached(after, number, told))


def rest(webhook: Webhook, after: Cursor | None, due: datetime, now: datetime) -> Webhook:
    """Give the lease back: somebody is to begin again then."""
    return step(webhook, Trigger.REST, now, after=_looked(webhook, after), due=due)


def failed(webhook: Webhook, error: str, draw: float, now: datetime) -> Webhook:
    """An attempt failed: the next one comes later, or it is given up if that has been so for too long."""
    since = webhook.failing_since or now
    attempts = webhook.attempts + 1
    if now - since >= GIVE_UP_AFTER:
        return give_up(webhook, error, now)
    due = now + backoff(attempts, draw)
    error = error[:_LONGEST]
    return step(webhook, Trigger.FAIL, now, due=due, attempts=attempts, failing_since=since, error=error)


def give_up(webhook: Webhook, error: str, now: datetime) -> Webhook:
    """Nothing is delivered any more, until somebody revives it."""
    since = webhook.failing_since or now
    return step(
        webhook,
        Trigger.GIVE_UP,
        now,
        due=None,
        attempts=webhook.attempts + 1,
        failing_since=since,
        error=error[:_LONGEST],
    )


def _looked(webhook: Webhook, after: Cursor | None) -> str | None:
    return webhook.after if after is None else str(after)


def _reached(after: Cursor, number: int, told: str) -> dict[str, Any]:
    return {"after": str(after), "number": number, "told": told, "attempts": 0, "failing_since": None, "error": None}
