"""Leaving: once it begins, nothing long-lived is opened any more, and what is open ends.

We end streams ourselves because servers do not: hypercorn 0.18 on CPython 3.12 and later waits for open ones.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from attrs import define, field

__all__ = ["Drain"]

_log = structlog.get_logger(__name__)


@define(eq=False)
class Drain:
    """Whether this process is leaving, and whom to tell."""

    _begun: bool = field(default=False, init=False)
    _watchers: set[Callable[[], None]] = field(factory=set, init=False)

    @property
    def begun(self) -> bool:
        """Whether ``begin`` was called."""
        return self._begun

    @property
    def open(self) -> int:
        """How many streams are open."""
        return len(self._watchers)

    def begin(self) -> None:
        """Leave: tell every watcher, once. Safe to call again."""
        if not self._begun:
            self._begun = True
            for tell in tuple(self._watchers):
                try:
                    tell()
                except Exception as error:  # the others have to hear of it all the same
                    _report(error)

    @contextmanager
    def watched(self, tell: Callable[[], None]) -> Iterator[None]:
        """Within, ``tell`` is called when leaving begins; at once if it has."""
        self._watchers.add(tell)
        try:
            if self._begun:
                tell()
            yield
        finally:
            self._watchers.discard(tell)


def _report(error: Exception) -> None:
    """Without its words, in which there may be anything."""
    kind, frames = type(error), traceback.extract_tb(error.__traceback__)
    where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    _log.error("watcher_failed", error=f"{kind.__module__}.{kind.__qualname__}", where=where)
