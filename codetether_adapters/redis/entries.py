"""Events as the log keeps them: arguments of the script that appends, entries of a stream that come back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from attrs import frozen

from codetether_adapters.redis.encoding import microseconds, moment
from codetether_adapters.redis.keys import topic_of, topic_text
from codetether_adapters.tail import Entry
from codetether_core.events import Record, Topic

__all__ = ["Line", "arguments", "erasures", "line_of", "lines"]


@frozen
class Line:
    """What one shard's log holds at a place of its own, before it has its position in the whole."""

    place: int
    number: int
    topic: Topic
    kind: str
    at: int
    body: bytes

    def record(self, position: int) -> Record:
        """The same at its position."""
        return Record(position, self.number, self.topic, self.kind, moment(self.at), self.body)


def arguments(entries: Sequence[Entry]) -> list[str | bytes | int]:
    """How many there are, then each."""
    values: list[str | bytes | int] = [len(entries)]
    for event, body in entries:
        values += *topic_text(event.topic), event.kind, microseconds(event.at), body
    return values


def erasures(topics: Sequence[Topic]) -> list[str | bytes | int]:
    """How many topics are erased, then each."""
    return [len(topics), *(value for topic in topics for value in topic_text(topic))]


def line_of(place: int, number: int, entry: Entry) -> Line:
    """What became of an event."""
    event, body = entry
    return Line(place, number, event.topic, event.kind, microseconds(event.at), body)


def lines(replies: Iterable[Any]) -> list[Line]:
    """The entries of a stream."""
    return [
        Line(int(id.partition(b"-")[0]), int(number), topic_of(topic), kind.decode(), int(at), body)
        for id, (_, number, _, topic, _, kind, _, at, _, body) in replies
    ]
