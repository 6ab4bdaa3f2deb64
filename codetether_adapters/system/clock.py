"""The machine's time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import anyio

__all__ = ["SystemClock"]


class SystemClock:
    """UTC, sampled once and carried on by the monotonic clock; it never goes backwards, nor jumps with the wall clock.

    ``sampled`` is the time to start from, such as the store's, so that replicas agree; without it, this machine's.
    The monotonic clock stands still while the machine is suspended, and that is wanted: leases do not expire while
    everything sleeps. The price: until the next start ``now`` lags by the time of the sleep.
    """

    def __init__(self, sampled: datetime | None = None, *, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._monotonic_ns = monotonic_ns
        self._started_ns = monotonic_ns()
        self._sampled = datetime.now(UTC) if sampled is None else sampled.astimezone(UTC)

    def now(self) -> datetime:
        """Aware UTC, with microseconds."""
        return self._sampled + timedelta(microseconds=(self._monotonic_ns() - self._started_ns) // 1000)

    async def sleep(self, duration: timedelta) -> None:
        """Wait that long by the monotonic clock; not at all for a negative duration."""
        await anyio.sleep(max(0.0, duration.total_seconds()))
