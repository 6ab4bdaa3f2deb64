"""Where an agent waits until the test lets it go on."""

from __future__ import annotations

import os
from pathlib import Path

from attrs import define

__all__ = ["Gate"]


@define(eq=False)
class Gate:
    """A named pipe; ``read go < GATE`` waits at it. Nobody waits for ever: closing it ends the reading too."""

    path: Path
    _end: int

    @classmethod
    def at(cls, path: Path) -> Gate:
        """A closed one. Held open for writing all the time, so that opening it never waits for a reader."""
        os.mkfifo(path)
        return cls(path, os.open(path, os.O_RDWR))

    def __str__(self) -> str:
        return str(self.path)

    def open(self) -> None:
        """Let one waiter through."""
        os.write(self._end, b"go\n")

    def close(self) -> None:
        """It is not needed any more."""
        os.close(self._end)
