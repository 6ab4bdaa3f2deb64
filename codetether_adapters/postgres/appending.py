"""Events into the log: one statement for a whole group, with arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from codetether_adapters.postgres.connection import Row
from codetether_adapters.postgres.encoding import microseconds
from codetether_adapters.tail import Entry
from codetether_core.events import Record, Topic

__all__ = ["APPEND", "ERASE", "Batch", "erased"]

APPEND: Final = """
WITH topic AS (
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[]) WITH ORDINALITY
    AS topic (tenant, scope, subject, events, place)
), numbered AS (
    INSERT INTO subjects AS known (tenant, scope, subject, number)
    SELECT tenant, scope, subject, events FROM topic
    ON CONFLICT (tenant, scope, subject) DO UPDATE SET number = known.number + excluded.number
    RETURNING known.tenant, known.scope, known.subject, known.number
)
INSERT INTO events (position, tenant, scope, subject, number, kind, at, body)
SELECT %s + event.place, tenant, scope, subject, numbered.number - topic.events + event.nth, event.kind, event.at,
    event.body
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::bytea[]) WITH ORDINALITY
    AS event (topic, nth, kind, at, body, place)
JOIN topic ON topic.place = event.topic
JOIN numbered USING (tenant, scope, subject)
RETURNING position, number
"""
"""Each event gets the next position and its subject's next number."""

ERASE: Final = """
DELETE FROM events USING unnest(%s::text[], %s::text[], %s::text[]) AS erased (tenant, scope, subject)
WHERE (events.tenant, events.scope, events.subject) = (erased.tenant, erased.scope, erased.subject)
"""
"""What the log has of these topics. Their subjects go on counting."""


class Batch:
    """Events to be appended after position ``head``."""

    def __init__(self, entries: Sequence[Entry], head: int) -> None:
        self._entries = entries
        self._head = head
        places: dict[Topic, int] = {}
        self._counts: list[int] = []
        self._topics: list[int] = []
        self._nths: list[int] = []
        for event, _ in entries:
            place = places.setdefault(event.topic, len(places) + 1)
            if place > len(self._counts):
                self._counts.append(0)
            self._counts[place - 1] += 1
            self._topics.append(place)
            self._nths.append(self._counts[place - 1])
        self._places = places

    def values(self) -> Sequence[Any]:
        """The values of ``APPEND``."""
        return [
            [topic.tenant for topic in self._places],
            [topic.scope for topic in self._places],
            [topic.subject for topic in self._places],
            self._counts,
            self._head,
            self._topics,
            self._nths,
            [event.kind for event, _ in self._entries],
            [microseconds(event.at) for event, _ in self._entries],
            [body for _, body in self._entries],
        ]

    def records(self, rows: Sequence[Row]) -> Sequence[Record]:
        """The events as the log has them, by what ``APPEND`` returned."""
        return [
            Record(position, number, event.topic, event.kind, event.at, body)
            for (position, number), (event, body) in zip(sorted(rows), self._entries, strict=True)
        ]


def erased(topics: Sequence[Topic]) -> Sequence[Any]:
    """The values of ``ERASE``."""
    return [[each.tenant for each in topics], [each.scope for each in topics], [each.subject for each in topics]]
