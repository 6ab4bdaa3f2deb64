"""Several things at once, as tasks of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from typing import TypeVar

__all__ = ["together"]

T = TypeVar("T")


async def together(calls: Iterable[Awaitable[T]]) -> Sequence[T]:
    """As the port ``Together`` has it."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
