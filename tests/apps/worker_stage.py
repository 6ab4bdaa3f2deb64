"""What worker tests share: a clock that only sleeping moves, and a server that answers as it is told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from attrs import define

from codetether_apps.holding.verdicts import Persistence

__all__ = ["MovedClock", "Steady", "persistence"]


@define(eq=False)
class MovedClock:
    """Every sleep is over at once and took its time."""

    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """The time."""
        return self.at

    async def sleep(self, duration: timedelta) -> None:
        """Move on."""
        self.at += max(duration, timedelta())
        await asyncio.sleep(0)


class Steady:
    """Dice that always fall alike."""

    def bytes(self, count: int) -> bytes:
        """Zeros."""
        return bytes(count)

    def fraction(self) -> float:
        """The middle."""
        return 0.5


def persistence(clock: MovedClock) -> Persistence:
    """Persistence by this clock."""
    return Persistence(clock, Steady())
