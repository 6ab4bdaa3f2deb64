"""Several things at once."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence
from typing import Protocol, TypeVar

__all__ = ["Together"]

T = TypeVar("T")


class Together(Protocol):
    """Waits for all of them, in no order; what one raises ends the others and goes through."""

    async def __call__(self, calls: Iterable[Awaitable[T]]) -> Sequence[T]:
        """Their results, in the order in which they were given."""
        ...
