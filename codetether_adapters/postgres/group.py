"""One group commit: the statements of many operations in one round trip, their events and the commit in another.

The log's lock is taken first and held until the commit, by one transaction of all replicas at a time. So positions
become visible in their order, and each statement sees what the transaction before left. No statement of an operation
leaves half of itself behind, so none needs a savepoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from codetether_adapters.postgres import appending
from codetether_adapters.postgres.channel import CHANNEL
from codetether_adapters.postgres.connection import Connection, Row, execute
from codetether_adapters.postgres.notices import notices
from codetether_adapters.postgres.operation import NOTHING, Operation
from codetether_adapters.postgres.recording import RECORD, recorded
from codetether_adapters.tail import Entry
from codetether_core.errors import CodeTetherError
from codetether_core.events import AUDIT, Record, Topic

__all__ = ["LOCK", "Group", "Outcome"]

Outcome: TypeAlias = Row | Exception

LOCK: Final = int.from_bytes(b"CTet log")
"""The log's, in the server's table of advisory locks."""

_HEAD: Final = (
    "SELECT greatest((SELECT max(position) FROM events), (SELECT value::bigint FROM meta WHERE name = 'start'))"
)


class Group:
    """The operations of one commit. ``head`` is the last position there is, ``records`` what was appended.

    With an ``origin`` the commit tells the other replicas, who hear that it came from there. ``committing`` tells, of a
    transaction whose connection was lost, that it may have been committed. ``chain`` is the one of the audit trail that
    is added to.
    """

    def __init__(self, operations: Sequence[Operation], origin: str | None, chain: str, *, quiet: bool) -> None:
        self.head = 0
        self.records: Sequence[Record] = ()
        self.wake: list[Topic] = []
        self.committing = False
        self._operations = operations
        self._origin = origin
        self._chain = chain
        self._quiet = quiet

    async def commit(self, connection: Connection) -> Sequence[Outcome]:
        """Run them; for each its row, or why it was refused. ``psycopg.Error`` if nothing at all was done."""
        rows = await self._swap(connection)
        entries: list[Entry] = []
        outcomes: list[Outcome] = []
        for operation, row in zip(self._operations, rows, strict=True):
            try:
                entries += operation.settle(row)
            except CodeTetherError as refusal:
                outcomes.append(refusal)
            else:
                outcomes.append(row)
                self.wake += operation.wake
        await self._append_and_commit(connection, entries)
        return outcomes

    async def _swap(self, connection: Connection) -> Sequence[Row]:
        """Begin, and run every statement in the order of the rows they lock."""
        places = sorted(range(len(self._operations)), key=lambda place: self._operations[place].row)
        rows: list[Row] = [()] * len(places)
        async with connection.pipeline():
            await execute(connection, "BEGIN")
            head = None
            if not self._quiet:
                await execute(connection, "SELECT pg_advisory_xact_lock(%s)", [LOCK])
                head = await execute(connection, _HEAD)
            cursors = [
                (place, await execute(connection, operation.sql, operation.values))
                for place in places
                if (operation := self._operations[place]).sql is not NOTHING
            ]
        for place, cursor in cursors:
            rows[place] = await cursor.fetchone() or ()
        if head is not None:
            (self.head,) = await head.fetchone() or (0,)
        return rows

    async def _append_and_commit(self, connection: Connection, entries: Sequence[Entry]) -> None:
        """Give events and records their places, tell the other replicas if that is ours to do, and commit."""
        told = [entry for entry in entries if entry[0].topic.scope != AUDIT]
        noted = [entry for entry in entries if entry[0].topic.scope == AUDIT]
        batch = appending.Batch(told, self.head)
        appended = None
        self.committing = True
        async with connection.pipeline():
            if noted:
                await execute(connection, RECORD, recorded(noted, self._chain))
            if told:
                appended = await execute(connection, appending.APPEND, batch.values())
            if self._origin is not None and (told or self.wake):
                for notice in notices(self._origin, self.head + len(told), self.wake):
                    await execute(connection, "SELECT pg_notify(%s, %s)", [CHANNEL, notice])
            await execute(connection, "COMMIT")
        if appended is not None:
            self.records = batch.records(await appended.fetchall())
