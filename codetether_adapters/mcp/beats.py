"""Signs that a call goes on, for clients that want to hear how far it has come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from typing import Final

from codetether_adapters.mcp.caller import Exchange
from codetether_core.ports import Clock

__all__ = ["BEAT", "beating"]

BEAT: Final = timedelta(seconds=10)
"""Clients give up after a minute in which they hear nothing."""


@asynccontextmanager
async def beating(exchange: Exchange, clock: Clock, words: str) -> AsyncIterator[None]:
    """Within the context the client hears at every beat that it goes on, in these words, if it wants to."""
    if not exchange.wants_progress:
        yield
        return
    telling = asyncio.create_task(_tell(exchange, clock, words))
    try:
        yield
    finally:
        telling.cancel()


async def _tell(exchange: Exchange, clock: Clock, words: str) -> None:
    for beat in count(1):
        await clock.sleep(BEAT)
        await exchange.progress(beat, words)
