"""Wake-ups: that there may be something new, never what it is."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Protocol

from codetether_core.events import Topic

__all__ = ["Listener", "Notifier"]


class Listener(Protocol):
    """One reader's bell. It stays rung until somebody waits for it."""

    async def wait(self, timeout: timedelta | None = None) -> bool:
        """``True`` once rung since the last ``wait`` (at once if it already was), ``False`` after ``timeout``."""
        ...

    def ring(self) -> None:
        """Ring it from this process, for instance to end a stream."""
        ...


class Notifier(Protocol):
    """Lossy by contract: listen, then read; a missed wake-up costs time, never data."""

    def listen(self, *topics: Topic) -> AbstractContextManager[Listener]:
        """A listener that rings when one of the topics, or anything that they cover, is notified."""
        ...

    async def notify(self, topics: Iterable[Topic]) -> None:
        """Ring every listener of these topics and of the wider ones."""
        ...

    async def ping(self) -> None:
        """Return if wake-ups reach every process that shares the store; ``Unavailable`` says why they do not.

        What follows without them comes late, and nothing is lost: who cannot be woken looks by itself now and then.
        """
        ...
