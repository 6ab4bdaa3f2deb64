"""What may be wrong with a trail, and how that is said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

from attrs import frozen

__all__ = ["Flaw", "FlawKind", "LateSeal"]


class FlawKind(StrEnum):
    """What is wrong with records."""

    EDITED = "edited"
    MISSING = "missing"
    REORDERED = "reordered"
    REPEATED = "repeated"
    TRUNCATED = "truncated"
    MISPLACED = "misplaced"
    FORGED = "forged"
    FOREIGN = "foreign"
    DIVERGED = "diverged"


_SAID: Final[Mapping[FlawKind, str]] = {
    FlawKind.EDITED: "was changed after it was written",
    FlawKind.MISSING: "is not there",
    FlawKind.REORDERED: "is not in its place",
    FlawKind.REPEATED: "is there more than once",
    FlawKind.TRUNCATED: "was cut off the end",
    FlawKind.MISPLACED: "is of another tenant",
    FlawKind.FORGED: "is a checkpoint that its key did not sign",
    FlawKind.FOREIGN: "is a checkpoint that no trusted key signed",
    FlawKind.DIVERGED: "does not lead to the head that was kept elsewhere",
}


@frozen
class Flaw:
    """Records ``first`` to ``last`` of a chain, and what is wrong with them."""

    chain: str
    first: int
    last: int
    kind: FlawKind

    def __str__(self) -> str:
        """For people."""
        which = f"record {self.first}" if self.first == self.last else f"each of records {self.first} to {self.last}"
        if self.kind is FlawKind.EDITED and self.first != self.last:
            which = f"one of records {self.first} to {self.last}"
        return f"{which} of chain {self.chain} {_SAID[self.kind]}"


@frozen
class LateSeal:
    """Records from ``first`` on that the checkpoint over all through ``last`` vouches for, so long after the oldest was
    written. No flaw by itself: until then whoever could write to the store could write them anew.
    """

    chain: str
    first: int
    last: int
    delay: timedelta
