"""Keeping the services' own loops running: one that fails is told of and begins again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from codetether_core.errors import CodeTetherError

__all__ = ["keep_running"]

_PAUSE: Final = 1.0

_log = structlog.get_logger(__name__)


async def keep_running(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Run it for ever, until cancelled: a store that does not answer now may answer soon."""
    while True:
        try:
            await run()
        except CodeTetherError as error:
            _log.warning("loop_failed", loop=name, error=error.message, hint=error.hint)
        except Exception:
            _log.exception("loop_failed", loop=name)
        await asyncio.sleep(_PAUSE)
