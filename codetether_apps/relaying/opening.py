"""A relay that works for as long as its server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from codetether_apps.holding.cancelling import cancelled
from codetether_apps.process import Stopping
from codetether_apps.relaying.relay import Relay
from codetether_apps.wiring.keeping import keep_running
from codetether_core.ports import Delegate
from codetether_core.services import Services

__all__ = ["relaying"]


@asynccontextmanager
async def relaying(services: Services, delegate: Delegate, stopping: Stopping) -> AsyncIterator[None]:
    """While this lasts, and until we are asked to leave, tasks for agents elsewhere are given to them.

    At its end all that was under way is given back.
    """
    over = Stopping()
    working = asyncio.create_task(_work(Relay(services, delegate), stopping, over))
    try:
        yield
    finally:
        over.ask()
        await working


async def _work(relay: Relay, *reasons: Stopping) -> None:
    """Until one of them asks us to leave."""
    running = asyncio.create_task(keep_running("relay", relay.run))
    asked = [asyncio.create_task(each.wait()) for each in reasons]
    try:
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancelled(running, *asked)
        await relay.leave()
