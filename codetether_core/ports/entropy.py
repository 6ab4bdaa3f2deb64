"""Dice."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Entropy"]


class Entropy(Protocol):
    """Randomness fit for secrets."""

    def bytes(self, count: int) -> bytes:
        """``count`` random bytes."""
        ...

    def fraction(self) -> float:
        """A uniform draw from [0, 1)."""
        ...
