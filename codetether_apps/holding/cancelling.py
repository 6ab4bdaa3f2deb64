"""Ending what runs beside."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["cancelled"]


async def cancelled(*tasks: asyncio.Future[Any]) -> None:
    """Cancel them and wait until they are gone, even if we are cancelled meanwhile."""
    for task in tasks:
        task.cancel()
    waiting = asyncio.gather(*tasks, return_exceptions=True)
    try:
        await asyncio.shield(waiting)
    except asyncio.CancelledError:
        await waiting
        raise
