"""How long a client waits, and how often it tries."""

from __future__ import annotations

from random import uniform

from attrs import frozen

__all__ = ["Patience"]


@frozen(kw_only=True)
class Patience:
    """Time limits and retries, in seconds and counts.

    A repeatable call is tried ``attempts`` times within ``total``, with jittered pauses from ``first`` up to
    ``longest`` or what ``Retry-After`` says. A stream that has once begun comes back after every cut, and gives up
    after ``reconnections`` in a row brought nothing. The server beats every 15 seconds: after ``silence`` it is gone.
    """

    connect: float = 5.0
    read: float = 30.0
    silence: float = 45.0
    attempts: int = 6
    total: float = 45.0
    first: float = 0.1
    longest: float = 15.0
    reconnections: int = 40

    def pause(self, failures: int) -> float:
        """A random pause before the next try, after so many failures in a row (full jitter)."""
        return uniform(0.0, min(self.longest, self.first * 2.0 ** min(failures, 32)))  # noqa: S311
