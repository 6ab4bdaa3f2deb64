"""What one group commit collects: SQL that was executed, and what to tell the process once it is durable."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeVar

from codetether_adapters.sqlite.encoding import microseconds
from codetether_adapters.tail import Entry, erasing
from codetether_core.events import AUDIT, Record, Topic
from codetether_core.ids import TenantId

__all__ = ["Transaction"]

T = TypeVar("T")


class Transaction:
    """The operations of one commit. ``head`` is the last position given out, ``records`` what was appended.

    ``chain`` is the one of the audit trail that is added to. ``scrubbed`` says that something is erased, of which no
    trace is to be left.
    """

    def __init__(self, connection: sqlite3.Connection, head: int, chain: str) -> None:
        self.head = head
        self.records: list[Record] = []
        self.wake: list[Topic] = []
        self.after_commit: list[Callable[[], None]] = []
        self.scrubbed = False
        self._connection = connection
        self._chain = chain
        self.execute = connection.execute
        self.executemany = connection.executemany

    def attempt(self, operation: Callable[[Transaction], T]) -> T:
        """Run one operation; if it raises, what it did is undone and the others stay.

        Some errors make SQLite give up the whole transaction (a full disk may); ``in_transaction`` then tells.
        """
        mark = self.head, len(self.records), len(self.wake), len(self.after_commit)
        self.execute("SAVEPOINT operation")
        try:
            result = operation(self)
        except BaseException:
            if self._connection.in_transaction:
                self.execute("ROLLBACK TO operation")
                self.execute("RELEASE operation")
            self.head, records, wake, after_commit = mark
            del self.records[records:], self.wake[wake:], self.after_commit[after_commit:]
            raise
        self.execute("RELEASE operation")
        return result

    def append(self, entries: Sequence[Entry]) -> None:
        """Write events into the log, each with the next position and its subject's next number, or into the trail."""
        erased, entries = erasing(entries)
        for topic in erased:
            self.execute(
                "DELETE FROM events WHERE tenant = ? AND scope = ? AND subject = ?",
                (topic.tenant, topic.scope, topic.subject),
            )
            self.scrubbed = True
        rows = []
        for topic, run in groupby(entries, _topic):
            together = list(run)
            if topic.scope == AUDIT:
                self._record(topic.tenant, [body for _, body in together])
                continue
            number = self._last_number(topic, len(together))
            for event, body in together:
                number += 1
                self.head += 1
                self.records.append(Record(self.head, number, topic, event.kind, event.at, body))
                at = microseconds(event.at)
                rows.append((self.head, topic.tenant, topic.scope, topic.subject, number, event.kind, at, body))
            self.wake.append(topic)
        self.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def _record(self, tenant: TenantId, bodies: Sequence[bytes]) -> None:
        """Add records to the audit trail."""
        (last,) = self.execute(
            "INSERT INTO audit_chains (tenant, chain, last) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET last = last + excluded.last RETURNING last",
            (tenant, self._chain, len(bodies)),
        ).fetchone()
        numbered = enumerate(bodies, last - len(bodies) + 1)
        rows = [(tenant, self._chain, number, body) for number, body in numbered]
        self.executemany("INSERT INTO audit VALUES (?, ?, ?, ?)", rows)

    def _last_number(self, topic: Topic, count: int) -> int:
        """The subject's last number so far; the next ``count`` are now taken."""
        row = self.execute(
            "INSERT INTO subjects VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET number = number + excluded.number RETURNING number",
            (topic.tenant, topic.scope, topic.subject, count),
        ).fetchone()
        return int(row[0]) - count


def _topic(entry: Entry) -> Topic:
    return entry[0].topic
