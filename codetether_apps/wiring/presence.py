"""Whether what we depend on answers, for whoever reads this process's log: said once when it goes and when it is back.

Everybody who wants something of it meanwhile is told so; that is no reason to write a line for each of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from codetether_core.errors import Unavailable

__all__ = ["tell_of_absence"]

_log = structlog.get_logger(__name__)


async def tell_of_absence(what: str, ping: Callable[[], Awaitable[None]], *, every: float) -> None:
    """Look every so many seconds, until cancelled."""
    away = False
    while True:
        try:
            await ping()
        except Unavailable as error:
            if not away:
                _log.error(f"{what}_away", error=error.message, hint=error.hint)
            away = True
        else:
            if away:
                _log.warning(f"{what}_back")
            away = False
        await asyncio.sleep(every)
