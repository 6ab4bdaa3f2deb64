"""The ring: the recent end of the log in memory, indexed by topic, bounded by bytes.

It is a row of segments. Each knows its records by topic and by every wider topic, so that a wake-up costs what is new
on that topic, however much else is going on; and the oldest is dropped whole, so that forgetting costs nothing per
record.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from attrs import Factory, define

from codetether_adapters.tail.paging import following
from codetether_adapters.tail.places import widening
from codetether_core.events import Record, Topic, erased_by

__all__ = ["RING_BYTES", "Ring"]

RING_BYTES: Final = 16 * 1024 * 1024

_SEGMENTS: Final = 16
_RECORD_BYTES: Final = 512
"""What a record takes besides its body: the objects, and its places in the index."""


@define(eq=False)
class _Segment:
    """A stretch of the log: everything from after ``floor`` to where the next one begins."""

    floor: int
    size: int = 0
    topics: dict[Topic, list[Record]] = Factory(dict)


class Ring:
    """All records after ``floor``, up to ``head``."""

    def __init__(self, head: int, *, limit: int = RING_BYTES) -> None:
        self.head = head
        self._limit = limit
        self._size = 0
        self._segments = deque([_Segment(head)])

    @property
    def floor(self) -> int:
        """Readers before this position must ask the store."""
        return self._segments[0].floor

    def extend(self, records: Iterable[Record]) -> None:
        """Take the next records of the log, in order; one that erases takes what it says with it."""
        for record in records:
            for erased in erased_by(record.kind, record.topic):
                self._forget(erased)
            segment = self._segments[-1]
            if segment.size * _SEGMENTS >= self._limit:
                segment = self._begin_segment()
            for topic in widening(record.topic):
                segment.topics.setdefault(topic, []).append(record)
            size = _size(record)
            segment.size += size
            self._size += size
            self.head = record.position

    def after(self, topic: Topic, position: int) -> Iterator[Record]:
        """The topic's records after a position that is not before ``floor``, oldest first."""
        first = len(self._segments) - 1
        while first > 0 and position < self._segments[first].floor:
            first -= 1
        for segment in islice(self._segments, first, None):
            yield from following(segment.topics.get(topic, ()), position)

    def _forget(self, erased: Topic) -> None:
        for segment in self._segments:
            size = sum(_size(record) for record in segment.topics.pop(erased, ()))
            if size:
                segment.size -= size
                self._size -= size
                for topic in widening(erased)[1:]:
                    segment.topics[topic] = [each for each in segment.topics[topic] if each.topic != erased]

    def _begin_segment(self) -> _Segment:
        segment = _Segment(self.head)
        self._segments.append(segment)
        while self._size > self._limit and len(self._segments) > 1:
            self._size -= self._segments.popleft().size
        return segment


def _size(record: Record) -> int:
    """One rendering of the body is likely to be kept beside it."""
    return 2 * len(record.body) + _RECORD_BYTES
