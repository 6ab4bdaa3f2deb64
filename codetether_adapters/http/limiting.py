"""Refusing what comes too often."""

from __future__ import annotations

from attrs import frozen

from codetether_adapters.http.addresses import network_of
from codetether_core.access import Principal
from codetether_core.errors import RateLimited
from codetether_core.ports import FAILURES, REQUESTS, RateLimiter

__all__ = ["UNLIMITED", "Limiting"]

UNLIMITED = "tasks:execute"
"""The permission of workers' words about what they run: one that is refused would cost a lease."""


@frozen
class Limiting:
    """``RateLimited`` for what is too much; without a limiter nothing is."""

    limiter: RateLimiter | None = None

    async def count(self, rule: str, *subject: str) -> None:
        """One more for the subject."""
        excess = await self.limiter.hit(rule, *subject) if self.limiter else None
        if excess is not None:
            wait = int(excess.resets_in.total_seconds())
            raise RateLimited("Too many requests", hint=f"wait for {wait} s", limit=excess.limit, resets_in=wait)

    async def count_request(self, principal: Principal, permission: str) -> None:
        """A request that the principal makes."""
        if permission != UNLIMITED:
            await self.count(REQUESTS, principal.tenant, principal.name)

    async def count_failure(self, address: str) -> None:
        """Somebody was not recognized; whoever tries that often is told nothing more."""
        await self.count(FAILURES, network_of(address))
