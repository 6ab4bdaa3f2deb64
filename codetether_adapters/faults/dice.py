"""Which call fails, and how."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random
from typing import TypeVar

from codetether_core.errors import Unavailable

__all__ = ["Faults"]

T = TypeVar("T")


class Faults:
    """Of all calls the share ``before`` fails without an effect, ``after`` with one, ``late`` waits ``delay`` seconds.

    ``on`` may be set to ``False`` for a while. The store's clock is ``skew`` off, whether they are on or not.
    """

    def __init__(
        self,
        seed: int,
        *,
        before: float = 0.1,
        after: float = 0.1,
        late: float = 0.0,
        delay: float = 0.01,
        skew: float = 0.0,
    ) -> None:
        self.on = True
        self.skew = timedelta(seconds=skew)
        self._dice = Random(seed)  # noqa: S311 - repeatable is what is wanted
        self._before = before
        self._after = after
        self._late = late
        self._delay = delay

    async def __call__(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make the call, or not, or not say so."""
        if not self.on:
            return await call()
        if self._dice.random() < self._late:
            await asyncio.sleep(self._delay)
        draw = self._dice.random()
        if draw < self._before:
            raise Unavailable("A rehearsed fault: nothing was done", hint="try again")
        result = await call()
        if draw < self._before + self._after:
            raise Unavailable("A rehearsed fault: it was done, and the reply is lost", hint="try again")
        return result
