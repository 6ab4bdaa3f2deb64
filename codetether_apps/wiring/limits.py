"""How often is too often, as the settings say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from codetether_adapters.limits import open_windows
from codetether_apps.settings import Settings, SettingsError
from codetether_core.ports import FAILURES, REQUESTS, SIGN_INS, RateLimiter

__all__ = ["open_limiter"]

_STORE = "limits.store"


@asynccontextmanager
async def open_limiter(settings: Settings) -> AsyncIterator[RateLimiter]:
    """The limiter; ``SettingsError`` for a place where nothing can be counted."""
    limits = settings.limits
    rules = {REQUESTS: limits.requests, FAILURES: limits.failures, SIGN_INS: limits.sign_ins}
    windows = open_windows({name: rate for name, rate in rules.items() if rate != "none"}, limits.store)
    async with AsyncExitStack() as stack:
        try:
            limiter = await stack.enter_async_context(windows)
        except ValueError as error:
            raise SettingsError(f"{_STORE} ({settings.origin(_STORE)}): {error}") from None
        yield limiter
