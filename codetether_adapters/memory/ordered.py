"""An index in memory: keys in order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from itertools import takewhile
from operator import itemgetter
from typing import Any, Generic, TypeVar

__all__ = ["Ordered"]

K = TypeVar("K", bound=tuple[Any, ...])


class Ordered(Generic[K]):
    """A sorted list of tuples, each in it once."""

    def __init__(self) -> None:
        self._keys: list[K] = []

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: K) -> None:
        """Put the key where it belongs."""
        insort(self._keys, key)

    def remove(self, key: K) -> None:
        """Take out a key that is in."""
        del self._keys[bisect_left(self._keys, key)]

    def first(self, count: int) -> Sequence[K]:
        """The least of them."""
        return self._keys[:count]

    def after(self, bound: Any, count: int) -> Sequence[K]:
        """The least of them whose first member is greater than ``bound``."""
        start = bisect_right(self._keys, bound, key=itemgetter(0))
        return self._keys[start : start + count]

    def until(self, bound: Any, count: int) -> Sequence[K]:
        """The least of them whose first member is at most ``bound``."""
        return list(takewhile(lambda key: key[0] <= bound, self._keys[:count]))
