"""The aggregate."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attrs import evolve, field, frozen

from codetether_core.errors import IllegalTransition
from codetether_core.events import Topic
from codetether_core.ids import CodebaseId, TaskId, TenantId, WebhookId
from codetether_core.webhooks.machine import TRANSITIONS, Trigger, WebhookState

__all__ = ["Webhook", "step"]


@frozen(kw_only=True)
class Webhook:
    """One receiver of one task's events, at one version: every verb returns a new value with ``version`` one higher.

    ``name`` is what its ``owner``, a principal, calls it; ``sealed`` is, encrypted, where it is and how to sign in
    there. ``dialect`` is in whose words it is told, and ``base_url`` our own address as the owner has it.

    Everything up to the task's event ``number`` was delivered, and everything up to ``after`` in the log looked at (a
    cursor as text, since that of a log in many shards is no number of JSON); it is ``None`` if nothing was. ``told`` is
    what the dialect wants to remember of that. ``due`` is when somebody is to begin: while it is delivering, when the
    lease is over. ``attempts`` failed in a row, the first of them at ``failing_since``; ``error`` says how the last.
    """

    id: WebhookId
    tenant: TenantId
    codebase: CodebaseId
    task: TaskId
    name: str
    owner: str
    dialect: str
    sealed: str = field(repr=False)
    base_url: str = ""
    created_at: datetime
    updated_at: datetime
    state: WebhookState = WebhookState.ACTIVE
    due: datetime | None
    after: str | None = None
    number: int = 0
    told: str = ""
    attempts: int = 0
    failing_since: datetime | None = None
    error: str | None = None
    version: int = 1

    @property
    def task_topic(self) -> Topic:
        """Where the events of its task are."""
        return Topic.task(self.tenant, self.codebase, self.task)

    @property
    def topic(self) -> Topic:
        """Where its own are: beside its task's, whose numbers it must not take."""
        return Topic.webhooks(self.tenant, self.codebase, self.task)


def step(webhook: Webhook, trigger: Trigger, now: datetime, **changes: Any) -> Webhook:
    """The webhook after a legal trigger, with ``changes``; ``IllegalTransition`` otherwise. Legality, nothing else."""
    state = TRANSITIONS.get((webhook.state, trigger))
    if state is None:
        raise IllegalTransition("webhook", webhook.id, webhook.state, trigger)
    return evolve(webhook, state=state, version=webhook.version + 1, updated_at=now, **changes)
