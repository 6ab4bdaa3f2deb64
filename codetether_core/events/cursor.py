"""Cursors: a reader's place in the log, opaque to clients."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from codetether_core.errors import Invalid

__all__ = ["Cursor"]

_DIGITS: Final = 1000
"""Of a position at most. A log that is spread over shards has long ones; Python reads no more than a few thousand."""


@frozen
class Cursor:
    """After ``position`` in the ``epoch`` of the log, which changes with a new store, a restore or a noticed loss."""

    epoch: str
    position: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.position}"

    @classmethod
    def parse(cls, text: str, field: str = "Last-Event-ID") -> Cursor:
        """Read what ``str`` wrote; ``Invalid`` names ``field`` where it is nothing of the kind."""
        epoch, dot, position = text.rpartition(".")
        if not (dot and epoch and position.isascii() and position.isdigit() and len(position) <= _DIGITS):
            raise Invalid(field, "is not a cursor that this server gave", code="cursor_malformed")
        return cls(epoch, int(position))
