"""Compare and swap, again and again until nobody was faster."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar

from codetether_core.errors import VersionConflict

__all__ = ["TRIES", "until_swapped"]

T = TypeVar("T")

TRIES: Final = 16
"""How often a lost swap is tried again before the caller is told."""


async def until_swapped(attempt: Callable[[], Awaitable[T]], what: str, id: str) -> T:
    """What the first attempt gave that did not raise ``VersionConflict``; each must read anew, decide and swap."""
    for _ in range(TRIES):
        with suppress(VersionConflict):
            return await attempt()
    raise VersionConflict(f"Too many others change this {what} at once; try again", id=id)
