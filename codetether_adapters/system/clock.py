"""The machine's time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import anyio

__all__ = ["SystemClock"]

_NOTABLE: Final = timedelta(seconds=1)
"""More than an answer takes on its way."""


class SystemClock:
    """UTC, sampled and carried on by the monotonic clock; it never goes backwards, nor jumps with the wall clock.

    ``sampled`` is the time to start from, such as the store's, so that replicas agree; without it, this machine's.
    The monotonic clock stands still while the machine is suspended, and that is wanted: leases do not expire while
    everything sleeps. The price is that ``now`` lags by the time of the sleep, until it is told to ``catch_up``.
    """

    def __init__(
        self,
        sampled: datetime | None = None,
        *,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._wall = wall
        self._started_ns = monotonic_ns()
        self._sampled = wall() if sampled is None else sampled.astimezone(UTC)

    def now(self) -> datetime:
        """Aware UTC, with microseconds."""
        return self._sampled + timedelta(microseconds=(self._monotonic_ns() - self._started_ns) // 1000)

    def catch_up(self, others: datetime) -> timedelta:
        """Go on from the time of ``others`` if this machine slept while they did not; how far ``now`` lagged.

        That their clock and this machine's wall clock both are ahead, and agree, tells a sleep from one that jumped.
        """
        lag = others - self.now()
        if lag < _NOTABLE or abs(others - self._wall()) > lag / 2:
            return timedelta()
        self._sampled += lag
        return lag

    async def sleep(self, duration: timedelta) -> None:
        """Wait that long by the monotonic clock; not at all for a negative duration."""
        await anyio.sleep(max(0.0, duration.total_seconds()))
