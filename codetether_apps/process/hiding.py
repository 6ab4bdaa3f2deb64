"""Keeping registered secrets out of the log lines of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from codetether_core.redaction import Redactor

__all__ = ["HIDING", "Hiding"]


class Hiding:
    """The last processor of log lines: takes out what the redactors know that there are at that moment."""

    def __init__(self) -> None:
        self._sources: list[Callable[[], Iterable[Redactor]]] = []

    def __call__(self, logger: Any, method: str, line: Any) -> str:
        """The line, as it may be written."""
        for source in self._sources:
            for redactor in source():
                line = redactor.whole(line)
        return str(line)

    @contextmanager
    def knowing(self, source: Callable[[], Iterable[Redactor]]) -> Iterator[None]:
        """Within the context these redactors count too."""
        self._sources.append(source)
        try:
            yield
        finally:
            self._sources.remove(source)


HIDING = Hiding()
"""That of this process, which has one log."""
