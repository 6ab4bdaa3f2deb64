"""Sliding windows, two counters each, in this process or in Redis for all replicas."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError

from codetether_core.ports import Excess

__all__ = ["Windows", "open_windows"]

_log = structlog.get_logger(__name__)

_REDIS: Final = ("redis://", "rediss://")
_FORGET_EVERY: Final = 5.0
_forget_what_is_over: Final = vars(MemoryStorage)["_MemoryStorage__expire_events"]

_PATIENCE: Final = 1.0
"""Seconds that counting may take: a request waits for it."""


@asynccontextmanager
async def open_windows(rules: Mapping[str, str], url: str | None = None) -> AsyncIterator[Windows]:
    """Each rule such as ``100/minute``; ``ValueError`` for one that is none. Counted in this process, or in Redis."""
    items = {name: parse(rule) for name, rule in rules.items()}
    if url is None:
        memory = _CalmMemory()
        try:
            yield Windows(items, memory)
        finally:
            if memory.timer is not None:
                memory.timer.cancel()
        return
    if not url.startswith(_REDIS):
        raise ValueError("limits are counted in this process or at redis://…")
    storage = RedisStorage(
        f"async+{url}",
        wrap_exceptions=True,
        implementation="redispy",
        socket_timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
    )
    try:
        yield Windows(items, storage)
    finally:
        bridge: Any = storage.bridge
        await bridge.storage.aclose()


class _CalmMemory(MemoryStorage):
    """Forgets what is over every few seconds, where the library looks through all of it with every count: strangers
    of many addresses could have that take any time.
    """

    async def _MemoryStorage__expire_events(self) -> None:
        await asyncio.sleep(_FORGET_EVERY)
        await _forget_what_is_over(self)


class Windows:
    """Counts (port ``RateLimiter``)."""

    def __init__(self, rules: Mapping[str, RateLimitItem], storage: Storage) -> None:
        self._rules = dict(rules)
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._away = False

    async def hit(self, rule: str, *subject: str) -> Excess | None:
        """Count one; what cannot be counted is allowed, and that is told once."""
        item = self._rules.get(rule)
        if item is None:
            return None
        key = "\n".join((rule, *subject))
        try:
            if await self._limiter.hit(item, key):
                self._away = False
                return None
            resets_at, _ = await self._limiter.get_window_stats(item, key)
        except StorageError as error:
            if not self._away:
                _log.error("rate_limits_away", error=str(error.storage_error), hint="nobody is limited meanwhile")
            self._away = True
            return None
        return Excess(item.amount, timedelta(seconds=max(1, math.ceil(resets_at - time.time()))))
