"""How often somebody may do something."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Protocol

from attrs import frozen

__all__ = ["FAILURES", "REQUESTS", "SIGN_INS", "Excess", "RateLimiter"]

REQUESTS: Final = "requests"
FAILURES: Final = "failures"
SIGN_INS: Final = "sign_ins"
"""The rules that there are: requests of a principal, credentials of an address that did not count, attempts to sign in
of an address and under a name."""


@frozen
class Excess:
    """It was more than the ``limit``; in how long none of it is used up any more."""

    limit: int
    resets_in: timedelta


class RateLimiter(Protocol):
    """Counts within windows of time. What cannot be counted is allowed: a limiter that is away stops nobody."""

    async def hit(self, rule: str, *subject: str) -> Excess | None:
        """Count one for the subject; ``None`` if that is not too much, or the rule has no limit."""
        ...
