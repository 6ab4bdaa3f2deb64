"""One group commit: the statements of many operations in one round trip, their events and the commit in another.

The log's lock is taken first and held until the commit, by one transaction of all replicas at a time. So positions
become visible in their order, and each statement sees what the transaction before left. No statement of an operation
leaves half of itself behind, so none needs a savepoint. Each works on its tenant's rows only, and so does what
appends the events of a tenant; or all are the keeper's, and work on everybody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final, TypeAlias

import psycopg

from codetether_adapters.postgres import appending
from codetether_adapters.postgres.channel import CHANNEL
from codetether_adapters.postgres.connection import Connection, Row, execute
from codetether_adapters.postgres.notices import notices
from codetether_adapters.postgres.operation import NOTHING, Operation
from codetether_adapters.postgres.recording import RECORD, recorded
from codetether_adapters.postgres.scope import OVERSEE, Scope
from codetether_adapters.tail import Entry, erasing
from codetether_core.errors import CodeTetherError
from codetether_core.events import AUDIT, Record, Topic
from codetether_core.ids import TenantId

__all__ = ["LOCK", "Group", "Outcome"]

Outcome: TypeAlias = Row | Exception

LOCK: Final = int.from_bytes(b"CTet log")
"""The log's, in the server's table of advisory locks."""

_TAKE_LOCK: Final = "SELECT pg_advisory_xact_lock(%s)"
_OVERSEE: Final = f"SELECT {OVERSEE}"
_HEAD: Final = "SELECT head()"


class Group:
    """The operations of one commit. ``head`` is the last position there is, ``records`` what was appended.

    With an ``origin`` the commit tells the other replicas, who hear that it came from there. ``committing`` tells, of a
    transaction whose connection was lost, that it may have been committed. ``chain`` is the one of the audit trail that
    is added to. A ``quiet`` group has no place in the log; ``keeper`` says that its operations are the keeper's.
    """

    def __init__(
        self, operations: Sequence[Operation], origin: str | None, chain: str, *, quiet: bool, keeper: bool
    ) -> None:
        self.head = 0
        self.records: Sequence[Record] = ()
        self.wake: list[Topic] = []
        self.committing = False
        self._operations = operations
        self._origin = origin
        self._chain = chain
        self._quiet = quiet
        self._keeper = keeper

    async def commit(self, connection: Connection) -> Sequence[Outcome]:
        """Run them; for each its row, or why it was refused. ``psycopg.Error`` if nothing at all was done."""
        scope = Scope(connection)
        rows = await self._swap(connection, scope)
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
        await self._append_and_commit(connection, scope, entries)
        return outcomes

    async def _swap(self, connection: Connection, scope: Scope) -> Sequence[Row]:
        """Begin, and run every statement in the order of the rows they lock: one tenant's after the other's."""
        places = sorted(range(len(self._operations)), key=lambda place: _order(self._operations[place]))
        rows: list[Row] = [()] * len(places)
        cursors: list[tuple[int, psycopg.AsyncCursor[Row]]] = []
        async with connection.pipeline():
            await execute(connection, "BEGIN")
            head = None
            if self._keeper:
                await execute(connection, _OVERSEE)
            if not self._quiet:
                await execute(connection, _TAKE_LOCK, [LOCK])
                head = await execute(connection, _HEAD)
            for place in places:
                operation = self._operations[place]
                if operation.sql is not NOTHING:
                    if operation.tenant is not None:
                        await scope.to(operation.tenant)
                    cursors.append((place, await execute(connection, operation.sql, operation.values)))
        for place, cursor in cursors:
            rows[place] = await cursor.fetchone() or ()
        if head is not None:
            (self.head,) = await head.fetchone() or (0,)
        return rows

    async def _append_and_commit(self, connection: Connection, scope: Scope, entries: Sequence[Entry]) -> None:
        """Give events and records their places, tell the other replicas if that is ours to do, and commit."""
        batches: list[tuple[appending.Batch, psycopg.AsyncCursor[Row]]] = []
        head = self.head
        self.committing = True
        async with connection.pipeline():
            for tenant, own in groupby(sorted(entries, key=_tenant), _tenant):
                told: list[Entry] = []
                noted: list[Entry] = []
                erased, left = erasing([*own])
                for entry in left:
                    (noted if entry[0].topic.scope == AUDIT else told).append(entry)
                await scope.to(tenant)
                if noted:
                    await execute(connection, RECORD, recorded(tenant, self._chain, noted))
                if erased:
                    await execute(connection, appending.ERASE, appending.erased(erased))
                if told:
                    batch = appending.Batch(told, head)
                    batches.append((batch, await execute(connection, appending.APPEND, batch.values())))
                    head += len(told)
            if self._origin is not None and (batches or self.wake):
                for notice in notices(self._origin, head, self.wake):
                    await execute(connection, "SELECT pg_notify(%s, %s)", [CHANNEL, notice])
            await execute(connection, "COMMIT")
        self.records = [record for batch, appended in batches for record in batch.records(await appended.fetchall())]


def _order(operation: Operation) -> tuple[str, str]:
    return operation.tenant or "", operation.row


def _tenant(entry: Entry) -> TenantId:
    return entry[0].topic.tenant
