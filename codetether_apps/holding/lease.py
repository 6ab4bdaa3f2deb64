"""Keeping a lease: renewed from its own task, beside the agent, and given up before anybody else can have it.

The time that counts is this worker's own, from the moment at which the last answered renewal was *sent*; the
server's clock is never compared with ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from attrs import define

from codetether_apps.holding.verdicts import Ending, verdict
from codetether_core.errors import CodeTetherError
from codetether_core.ports import Clock, Entropy

__all__ = ["LeaseKeeper"]

_log = structlog.get_logger(__name__)


@define(eq=False, kw_only=True)
class LeaseKeeper:
    """Renews every quarter of ``ttl``. ``end`` is told when the run has to stop.

    At ``ttl`` less a sixth without an answer an ``exclusive`` run, one whose checkout another worker could enter, is
    ended; any other goes on until the server says that it does not count. A process that was stopped across that
    moment, agent and all, asks once more when it wakes: it may still be honoured.
    """

    renew: Callable[[], Awaitable[object]]
    end: Callable[[Ending], None]
    ttl: timedelta
    exclusive: bool
    renewed_at: datetime
    clock: Clock
    entropy: Entropy

    async def keep(self) -> None:
        """Until the lease is lost, or the caller cancels."""
        while True:
            await self.clock.sleep(self.renewed_at + self.ttl / 4 - self.clock.now())
            ending = await self._renewed()
            if ending is not None:
                self.end(ending)
                return

    @property
    def trusted_until(self) -> datetime:
        """Until when nobody else can have been granted the task."""
        return self.renewed_at + self.ttl - self.ttl / 6

    async def _renewed(self) -> Ending | None:
        """Try until it is renewed; why the run has to end otherwise."""
        while True:
            sent, pause = self.clock.now(), self._pause()
            patience = self._patience(sent)
            try:
                async with asyncio.timeout(patience.total_seconds()):
                    await self.renew()
            except TimeoutError:
                pass
            except CodeTetherError as error:
                if (ending := verdict(error)) is not None:
                    return ending
            except Exception:
                _log.exception("renewal_failed")  # whatever it is, the lease must not die of it
            else:
                self.renewed_at = sent
                return None
            await self.clock.sleep(pause)
            now = self.clock.now()
            was_stopped = now - sent > patience + pause + self.ttl / 8
            if self.exclusive and now >= self.trusted_until and not was_stopped:
                return Ending.UNRENEWED

    def _patience(self, now: datetime) -> timedelta:
        """How long one try may take: not past the time of trust, but a process that was stopped may ask once after."""
        left = self.trusted_until - now
        return self.ttl / 4 if left <= timedelta() else max(min(self.ttl / 4, left), self.ttl / 16)

    def _pause(self) -> timedelta:
        return min(self.ttl / 16, timedelta(seconds=1)) * (0.5 + self.entropy.fraction() / 2)
