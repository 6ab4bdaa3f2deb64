"""Webhooks: where somebody wants to be told of a task, how far that has come, and what became of it."""

from codetether_core.webhooks.delivering import (
    GIVE_UP_AFTER,
    begin,
    delivered,
    failed,
    finish,
    give_up,
    renew,
    rest,
)
from codetether_core.webhooks.machine import TRANSITIONS, Trigger, WebhookState
from codetether_core.webhooks.retry import backoff
from codetether_core.webhooks.setting_up import configured, relocated, revive, webhook_id
from codetether_core.webhooks.target import Target, checked_target
from codetether_core.webhooks.webhook import Webhook

__all__ = [
    "GIVE_UP_AFTER",
    "TRANSITIONS",
    "Target",
    "Trigger",
    "Webhook",
    "WebhookState",
    "backoff",
    "begin",
    "checked_target",
    "configured",
    "delivered",
    "failed",
    "finish",
    "give_up",
    "relocated",
    "renew",
    "rest",
    "revive",
    "webhook_id",
]
