"""The time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

__all__ = ["Clock"]


class Clock(Protocol):
    """The store's time, which never goes backwards in one process."""

    def now(self) -> datetime:
        """Aware UTC, with microseconds."""
        ...

    async def sleep(self, duration: timedelta) -> None:
        """Wait that long by this clock."""
        ...
