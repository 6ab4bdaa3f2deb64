"""An index in memory: keys in order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
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

    def down(self, since: Any = None, beyond: K | None = None) -> Iterator[K]:
        """From the greatest on, or from the first below ``beyond``, to the last whose first member is at least
        ``since``; good as long as nothing is put in or taken out.
        """
        return map(self._keys.__getitem__, reversed(range(*self._between(since, beyond))))

    def count(self, since: Any = None) -> int:
        """How many have a first member of at least ``since``."""
        return len(range(*self._between(since, None)))

    def _between(self, since: Any, beyond: K | None) -> tuple[int, int]:
        least = 0 if since is None else bisect_left(self._keys, since, key=itemgetter(0))
        return least, len(self._keys) if beyond is None else bisect_left(self._keys, beyond)
