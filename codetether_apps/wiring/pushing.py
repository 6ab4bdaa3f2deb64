"""Webhooks: kept for those who ask over A2A, and delivered by this process as by every other one of the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

import structlog

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.rendering import WebhookRenderer
from codetether_apps.wiring.keeping import keep_running
from codetether_core.errors import CodeTetherError
from codetether_core.ports import Courier
from codetether_core.services import Means, Pushing
from codetether_core.webhooks import Webhook

__all__ = ["delivering"]

_PATIENCE: Final = 5.0
"""Seconds for which what is being sent may still be taken; else it is sent again by somebody else."""

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def delivering(agent: Agent, courier: Courier) -> AsyncIterator[None]:
    """While this lasts, what is due is delivered. At its end what is in hand is given back."""
    services = agent.services
    pushing = Pushing(
        Means(
            webhooks=services.backend.webhooks,
            tasks=services.backend.tasks,
            log=services.backend.log,
            keeping=services.webhook_keeping,
            courier=courier,
            renderer=WebhookRenderer(agent),
            clock=services.clock,
            entropy=services.entropy,
            ttl=services.terms.ttl,
        ),
        services.backend.notifier,
    )
    followers: set[asyncio.Task[None]] = set()

    async def run() -> None:
        async with aclosing(pushing.taken()) as source:
            async for webhook in source:
                follower = asyncio.create_task(_follow(pushing, webhook))
                followers.add(follower)
                follower.add_done_callback(followers.discard)

    loop = asyncio.create_task(keep_running("push", run))
    try:
        yield
    finally:
        pushing.leave()
        if followers:
            await asyncio.wait(followers, timeout=_PATIENCE)
        late = [loop, *followers]
        for each in late:
            each.cancel()
        await asyncio.wait(late)


async def _follow(pushing: Pushing, webhook: Webhook) -> None:
    """What fails here is taken up again, by us or by others, when the lease is over."""
    try:
        await pushing.follow(webhook)
    except CodeTetherError as error:
        _log.warning("push_interrupted", webhook=webhook.id, error=error.message, hint=error.hint)
    except Exception:
        _log.exception("push_interrupted", webhook=webhook.id)
