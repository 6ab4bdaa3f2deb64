"""Backoff between attempts: capped exponential with full jitter."""

from __future__ import annotations

from datetime import timedelta

__all__ = ["backoff"]


def backoff(
    charged: int,
    draw: float,
    *,
    base: timedelta = timedelta(seconds=2),
    cap: timedelta = timedelta(minutes=10),
) -> timedelta:
    """How long to put a task off that was charged ``charged`` times; ``draw`` is uniform in [0, 1)."""
    ceiling: timedelta = min(cap, base * (1 << min(max(charged - 1, 0), 20)))
    return ceiling * draw
