"""The machine's dice."""

from __future__ import annotations

import secrets
from typing import Final

__all__ = ["SystemEntropy"]

_FRACTION_BITS: Final = 53  # of a float's significand


class SystemEntropy:
    """The kernel's random numbers, fit for secrets."""

    def bytes(self, count: int) -> bytes:
        """``count`` random bytes."""
        return secrets.token_bytes(count)

    def fraction(self) -> float:
        """A uniform draw from [0, 1)."""
        return secrets.randbits(_FRACTION_BITS) / (1 << _FRACTION_BITS)
