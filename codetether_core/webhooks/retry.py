"""Backoff between attempts to deliver: capped exponential, half of it by chance."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

__all__ = ["backoff"]

_FIRST: Final = timedelta(seconds=2)
_CAP: Final = timedelta(hours=1)
_DOUBLINGS: Final = 12


def backoff(attempts: int, draw: float) -> timedelta:
    """How long to wait after so many attempts that failed in a row: from a second to an hour.

    ``draw`` is uniform in [0, 1): receivers that failed together are not asked again together.
    """
    ceiling: timedelta = min(_CAP, _FIRST * (1 << min(max(attempts - 1, 0), _DOUBLINGS)))
    return ceiling * ((1 + draw) / 2)
