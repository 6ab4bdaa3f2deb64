"""What every reader of a log shares: which cursors are known, what follows a position, and where a page ends."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from operator import attrgetter

from codetether_core.errors import CursorUnknown
from codetether_core.events import Cursor, Page, Record

__all__ = ["fill", "following", "last", "of_this_log", "position"]

_position = attrgetter("position")


def position(after: Cursor, *, start: Cursor, head: Cursor) -> int:
    """The position to read after; ``CursorUnknown`` unless it is of this epoch and within what is kept."""
    if after.epoch == head.epoch and start.position <= after.position <= head.position:
        return after.position
    if after.epoch != head.epoch:
        problem = "The cursor is of another epoch of the log"
    elif after.position > head.position:
        problem = "The cursor is beyond the end of the log"
    else:
        problem = "The records after this cursor are no longer kept"
    raise CursorUnknown(problem, hint="read the present state, then follow from the head", head=str(head))


def of_this_log(cursor: Cursor, epoch: str) -> None:
    """``CursorUnknown`` for a cursor of another epoch."""
    if cursor.epoch != epoch:
        raise CursorUnknown("The cursor is of another epoch of the log", hint="ask for the oldest records again")


def following(records: Sequence[Record], position: int) -> Iterator[Record]:
    """The records after a position, out of a list in log order; what lies before it costs nothing."""
    for index in range(bisect_right(records, position, key=_position), len(records)):
        yield records[index]


def last(records: Iterable[Record], limit: int, size: int | None) -> list[Record]:
    """Of records that come latest first as many as fit, oldest first; one at least, however long."""
    taken: list[Record] = []
    total = 0
    for record in records:
        total += len(record.body)
        if len(taken) == limit or (taken and size is not None and total > size):
            break
        taken.append(record)
    return taken[::-1]


def fill(records: Iterable[Record], head: Cursor, limit: int, kinds: Collection[str] | None) -> Page:
    """A page of these records, taken in order up to ``head``: at most ``limit`` bytes of bodies, but one record."""
    taken: list[Record] = []
    size = 0
    for record in records:
        if kinds is not None and record.kind not in kinds:
            continue
        size += len(record.body)
        if taken and size > limit:
            return Page(tuple(taken), Cursor(head.epoch, taken[-1].position), more=True)
        taken.append(record)
    return Page(tuple(taken), head)
