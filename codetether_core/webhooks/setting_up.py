"""What people do to a webhook: keep one, in place of another or not, and revive one that was given up."""

from __future__ import annotations

from datetime import datetime

from attrs import evolve

from codetether_core.ids import CodebaseId, TaskId, TenantId, WebhookId, derived_id, room_of
from codetether_core.webhooks.machine import Trigger, WebhookState
from codetether_core.webhooks.webhook import Webhook, step

__all__ = ["configured", "relocated", "revive", "webhook_id"]


def webhook_id(tenant: TenantId, codebase: CodebaseId, task: TaskId, name: str) -> WebhookId:
    """The id of the task's webhook of that name, which is found where its codebase is."""
    return WebhookId(derived_id("whk", tenant, task, name, room=room_of(tenant, codebase)))


def configured(old: Webhook | None, new: Webhook) -> Webhook:
    """``new``, which takes the place of ``old``: what that was told is nothing to a receiver that may be another."""
    if old is None:
        return new
    version = step(old, Trigger.CONFIGURE, new.updated_at).version
    return evolve(new, version=version, created_at=old.created_at)


def revive(webhook: Webhook, now: datetime) -> Webhook:
    """Deliver what is left, from now on as long as ever."""
    return step(webhook, Trigger.REVIVE, now, due=now, attempts=0, failing_since=None)


def relocated(webhook: Webhook, now: datetime) -> Webhook:
    """The same in another store, whose log is another: nobody there has the lease, and what was told is told again."""
    if webhook.due is None:
        return webhook
    return evolve(webhook, state=WebhookState.ACTIVE, due=now, after=None, updated_at=now)
