"""Keeping this process's clock with the store's, which every replica goes by."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from codetether_adapters.system import SystemClock

__all__ = ["keep_time"]

_EVERY: Final = 5.0

_log = structlog.get_logger(__name__)


async def keep_time(
    clock: SystemClock, asked: Callable[[], Awaitable[datetime]], woke: Callable[[], None], *, every: float = _EVERY
) -> None:
    """Compare them every so many seconds, until cancelled; ``woke`` hears of a sleep that the others did not share.

    While this machine sleeps, its monotonic clock may stand still: leases that it would grant later were over at birth.
    """
    while True:
        await asyncio.sleep(every)
        lag = clock.catch_up(await asked())
        if lag > timedelta():
            _log.warning("machine_slept", seconds=round(lag.total_seconds(), 3))
            woke()
