"""An event loop whose time goes by only when nobody has anything to do, and then at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from attrs import frozen

__all__ = ["VirtualClock", "run"]

T = TypeVar("T")

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


class _Instant(selectors.SelectSelector):
    """Waits for nothing: what would have been the wait is added to the time."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everybody waits for somebody else, and no time will bring anything about")
        self.elapsed += max(timeout, 0.0)
        return []


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._instant = _Instant()
        super().__init__(self._instant)

    def time(self) -> float:
        return self._instant.elapsed


@frozen
class VirtualClock:
    """The loop's time as a ``Clock``, of a machine whose clock is ``skew`` off."""

    skew: timedelta = timedelta()

    def now(self) -> datetime:
        """Aware UTC."""
        return _START + self.skew + timedelta(seconds=asyncio.get_running_loop().time())

    async def sleep(self, duration: timedelta) -> None:
        """Let others go on until then."""
        await asyncio.sleep(max(duration.total_seconds(), 0.0))


def run(main: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns, in virtual time."""
    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        return runner.run(main)
