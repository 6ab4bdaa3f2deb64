"""Webhooks that were given up, as answered: never where they are."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from codetether_core.webhooks import WebhookState

__all__ = ["DeadLetter", "DeadLetters", "SigningKey"]


@frozen(kw_only=True)
class DeadLetter:
    """The receiver has the task's events up to ``sequence``; ``name`` is what its owner calls it.

    ``protocol`` is the release of A2A in whose words it is told.
    """

    id: str
    name: str
    task_id: str
    codebase_id: str
    owner: str
    protocol: str
    state: WebhookState
    sequence: int
    attempts: int
    failing_since: datetime | None
    error: str | None
    created_at: datetime
    updated_at: datetime


@frozen(kw_only=True)
class DeadLetters:
    """A page of them; ``next`` is the ``after`` of the next one, if there is one."""

    dead_letters: tuple[DeadLetter, ...]
    next: str | None


@frozen(kw_only=True)
class SigningKey:
    """As Standard Webhooks writes public keys: ``whpk_`` and base64."""

    key: str | None
