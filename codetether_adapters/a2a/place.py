"""Where a reader of a task's stream stands: the ``id`` of an event, opaque to clients."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from codetether_core.errors import Invalid
from codetether_core.events import Cursor

__all__ = ["Place"]

_FIELD: Final = "Last-Event-ID"
_DIGITS: Final = 18


@frozen
class Place:
    """After ``cursor`` in the log, with the output of the attempt ``printing`` on its way (0: none has begun)."""

    cursor: Cursor
    printing: int

    def __str__(self) -> str:
        return f"{self.cursor}.{self.printing}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read what ``str`` wrote; ``Invalid`` where it is nothing of the kind."""
        cursor, _, printing = text.rpartition(".")
        if not (printing.isascii() and printing.isdigit() and len(printing) <= _DIGITS):
            raise Invalid(_FIELD, "is not one that this server gave")
        return cls(Cursor.parse(cursor, _FIELD), int(printing))
