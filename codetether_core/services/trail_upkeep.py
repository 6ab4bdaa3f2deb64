"""What the trail needs from time to time: counts written down, new records sealed, old ones filed away."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from attrs import define

from codetether_core.ports import Clock
from codetether_core.services.recording import Recording
from codetether_core.services.sealing import Sealing
from codetether_core.services.trail_filing import TrailFiling

__all__ = ["TrailUpkeep"]

_SEAL_EVERY: Final = timedelta(seconds=5)
_FLUSH_EVERY: Final = timedelta(minutes=1)
_FILE_EVERY: Final = timedelta(minutes=10)


@define(eq=False)
class TrailUpkeep:
    """``run`` has to be running somewhere in the process, and ``finish`` to be called at its end."""

    recording: Recording
    sealing: Sealing
    filing: TrailFiling
    clock: Clock
    _flushed_at: datetime | None = None
    _filed_at: datetime | None = None

    async def run(self) -> None:
        """Tend to it until cancelled."""
        while True:
            await self.clock.sleep(_SEAL_EVERY)
            await self.tend()

    async def tend(self) -> None:
        """Do what is due."""
        now = self.clock.now()
        await self.sealing.seal()
        if self._flushed_at is None or now - self._flushed_at >= _FLUSH_EVERY:
            await self.recording.flush()
            self._flushed_at = now
        if self._filed_at is None or now - self._filed_at >= _FILE_EVERY:
            self._filed_at = now
            await self.filing.file()

    async def finish(self) -> None:
        """Write down and seal what there is."""
        await self.recording.flush()
        await self.sealing.seal()
