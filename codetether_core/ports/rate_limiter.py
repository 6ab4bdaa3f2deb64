"""How often somebody may do something."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Protocol

from attrs import frozen

__all__ = ["FAILURES", "REQUESTS", "SIGN_INS", "Allowance", "RateLimiter"]

REQUESTS: Final = "requests"
FAILURES: Final = "failures"
SIGN_INS: Final = "sign_ins"
"""The rules that there are: requests of a principal, credentials of an address that did not count, attempts to sign in
of an address and under a name."""


@frozen
class Allowance:
    """Whether it was within the ``limit``, how many more are, and when all of them are again."""

    allowed: bool
    limit: int
    remaining: int
    resets_in: timedelta


class RateLimiter(Protocol):
    """Counts within windows of time. What cannot be counted is allowed: a limiter that is away stops nobody."""

    async def hit(self, rule: str, *subject: str) -> Allowance | None:
        """Count one for the subject; ``None`` where the rule has no limit."""
        ...
