"""Being asked to leave: the first SIGTERM or SIGINT begins it, a second one does not wait for it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from attrs import define, field

__all__ = ["Stopping", "stop_signals"]

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


@define(eq=False)
class Stopping:
    """Whether this process has been asked to leave."""

    _asked: asyncio.Event = field(factory=asyncio.Event, init=False)

    @property
    def begun(self) -> bool:
        """Whether it has."""
        return self._asked.is_set()

    def ask(self, number: int = 0) -> None:
        """Ask it to leave. A signal that comes again ends the process at once, by that signal's usual effect."""
        if self.begun and number:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self._asked.set()

    async def wait(self) -> None:
        """Until it has been asked."""
        await self._asked.wait()


@contextmanager
def stop_signals() -> Iterator[Stopping]:
    """Within, the signals that ask a process to leave are heard here."""
    stopping = Stopping()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stopping.ask, number)
    try:
        yield stopping
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
