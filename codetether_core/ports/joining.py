"""Finding something out for all who ask for it at the same time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Protocol, TypeVar

__all__ = ["Joining"]

T = TypeVar("T")


class Joining(Protocol):
    """Of all who ask for the same at a time one calls, and the others wait for what comes of it.

    What is called does not end with the one that called, but as soon as nobody waits for it any more.
    """

    async def __call__(self, key: Hashable, call: Callable[[], Awaitable[T]], /) -> T:
        """What the call gives, or raises, that is going on for the ``key``; ``call`` if none is."""
        ...
