"""Checks of what we depend on, asked no oftener than once a second however often strangers ask us.

Some of them are no mere questions: a store that is to take writes is made to take one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from attrs import define, field

from codetether_core.errors import CodeTetherError

__all__ = ["OK", "Check", "Checks"]

Check: TypeAlias = Callable[[], Awaitable[object]]
"""Returns if all is well, raises otherwise."""

OK: Final = "ok"

_KEPT: Final = timedelta(seconds=1)

_PATIENCE: Final = 2.0
"""For how long a check may keep us waiting, in seconds."""


@define(eq=False)
class _Kept:
    """One check. Whoever asks while it is being asked waits for the same answer."""

    _check: Check
    _now: Callable[[], datetime]
    _asking: asyncio.Task[str] | None = field(default=None, init=False)
    _good_until: datetime | None = field(default=None, init=False)

    async def result(self) -> str:
        """``ok``, or a slug that says what is wrong; of this second."""
        over = self._good_until is not None and self._good_until <= self._now()
        if self._asking is None or over:
            self._good_until = None
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)  # who goes away meanwhile is not the only one

    async def _ask(self) -> str:
        result = await _asked(self._check)
        self._good_until = self._now() + _KEPT
        return result


class Checks:
    """Several, by name; ``now`` tells how old a result is."""

    def __init__(self, checks: Mapping[str, Check], now: Callable[[], datetime]) -> None:
        self._kept = {name: _Kept(check, now) for name, check in checks.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._kept

    async def results(self) -> dict[str, str]:
        """What each says: ``ok``, or a slug."""
        results = await asyncio.gather(*(kept.result() for kept in self._kept.values()))
        return dict(zip(self._kept, results, strict=True))


async def _asked(check: Check) -> str:
    try:
        async with asyncio.timeout(_PATIENCE):
            await check()
    except TimeoutError:
        return "timeout"
    except CodeTetherError as error:
        return error.code
    except Exception:
        return "failed"
    return OK
