"""Numbers from outside, within what makes sense and every store can hold."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from codetether_core.errors import Invalid

__all__ = ["seconds", "within"]

N = TypeVar("N", int, float)


def within(field: str, value: N, least: N, most: N) -> N:
    """The value; ``Invalid`` names the field if it is not between the two, both included."""
    if not least <= value <= most:
        raise Invalid(field, f"must be between {least} and {most}")
    return value


def seconds(field: str, value: float, least: float, most: float) -> timedelta:
    """So many seconds, within bounds."""
    return timedelta(seconds=within(field, value, least, most))
