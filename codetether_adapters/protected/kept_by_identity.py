"""What was made of values that are the same object, for as long as somebody else has that."""

from __future__ import annotations

import weakref
from typing import Any, Generic, TypeVar

__all__ = ["KeptByIdentity"]

K = TypeVar("K")
V = TypeVar("V")


class KeptByIdentity(Generic[K, V]):
    """A table by identity, whose keys need not be hashable and whose values must not have them in them."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[weakref.ref[Any], V]] = {}

    def get(self, key: K) -> V | None:
        """What is kept for that very object."""
        found = self._kept.get(id(key))
        return None if found is None or found[0]() is not key else found[1]

    def keep(self, key: K, value: V) -> None:
        """Keep it until the object is gone."""
        name = id(key)
        self._kept[name] = weakref.ref(key, lambda _: self._kept.pop(name, None)), value
