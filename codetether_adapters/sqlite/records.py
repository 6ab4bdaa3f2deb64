"""Codebases, workers and agents in SQLite: one table, compared and swapped by version."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from attrs import frozen

from codetether_adapters.sqlite.encoding import decoded, document
from codetether_adapters.sqlite.reader import Reader
from codetether_adapters.sqlite.transaction import Transaction
from codetether_adapters.sqlite.writer import Writer
from codetether_adapters.tail import encoded
from codetether_core.agents import Agent
from codetether_core.codebases import Codebase
from codetether_core.errors import AlreadyExists, NotFound, VersionConflict
from codetether_core.events import Event
from codetether_core.ids import TenantId, digest
from codetether_core.ports import Versioned
from codetether_core.workers import Worker

__all__ = ["SqliteCodebases", "SqliteDirectory", "SqliteRecords"]

V = TypeVar("V", bound=Versioned)

_ADD: Final = "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)"
_GET: Final = "SELECT body FROM records WHERE kind = ? AND tenant = ? AND id = ?"
_SWAP: Final = (
    "UPDATE records SET version = ?, alias = ?, body = ? WHERE kind = ? AND tenant = ? AND id = ? AND version = ?"
)
_REMOVE: Final = "DELETE FROM records WHERE kind = ? AND tenant = ? AND id = ? AND version = ?"
_LIST: Final = "SELECT body FROM records WHERE kind = ? AND tenant = ? ORDER BY id"
_BY_ALIAS: Final = "SELECT body FROM records WHERE kind = ? AND tenant = ? AND alias = ?"


class SqliteRecords(Generic[V]):
    """The values of one kind (a ``RecordStore``)."""

    def __init__(self, type: type[V], kind: str, writer: Writer, reader: Reader) -> None:
        self._type = type
        self._kind = kind
        self._writer = writer
        self._reader = reader

    async def add(self, value: V, events: Sequence[Event] = ()) -> None:
        """Insert it."""
        entries = encoded(events)
        row = self._kind, value.tenant, value.id, value.version, self._alias(value), document(value)

        def insert(transaction: Transaction) -> None:
            try:
                transaction.execute(_ADD, row)
            except sqlite3.IntegrityError:
                raise AlreadyExists(self._kind, value.id) from None
            transaction.append(entries)

        await self._writer.write(insert)

    async def get(self, tenant: TenantId, id: str) -> V:
        """By primary key."""
        row = self._reader.row(_GET, self._kind, tenant, id)
        if row is None:
            raise NotFound(self._kind, id)
        return decoded(self._type, row[0])

    async def replace(self, old: V, new: V, events: Sequence[Event] = ()) -> None:
        """Update the row that has the old version."""
        entries = encoded(events)
        row = new.version, self._alias(new), document(new), self._kind, old.tenant, old.id, old.version

        def swap(transaction: Transaction) -> None:
            try:
                swapped = transaction.execute(_SWAP, row).rowcount
            except sqlite3.IntegrityError:
                raise AlreadyExists(self._kind, new.id) from None
            self._require(swapped, old)
            transaction.append(entries)

        await self._writer.write(swap)

    async def remove(self, old: V, events: Sequence[Event] = ()) -> None:
        """Delete the row that has the old version."""
        entries = encoded(events)

        def delete(transaction: Transaction) -> None:
            self._require(transaction.execute(_REMOVE, (self._kind, old.tenant, old.id, old.version)).rowcount, old)
            transaction.append(entries)

        await self._writer.write(delete)

    async def list(self, tenant: TenantId) -> Sequence[V]:
        """In the order of the primary key."""

        def all_of_them(connection: sqlite3.Connection) -> Sequence[V]:
            found = connection.execute(_LIST, (self._kind, tenant)).fetchall()
            return [decoded(self._type, body) for (body,) in found]

        return await self._reader.scan(all_of_them)

    def _require(self, swapped: int, old: V) -> None:
        if swapped != 1:
            raise VersionConflict(f"The {self._kind} was changed meanwhile", id=old.id)

    def _alias(self, value: V) -> str | None:
        """What must be unique besides the id."""
        return None


class SqliteCodebases(SqliteRecords[Codebase]):
    """Codebases (a ``CodebaseStore``)."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        super().__init__(Codebase, "codebase", writer, reader)

    async def find(self, tenant: TenantId, name: str, path: str) -> Codebase | None:
        """By the unique index."""
        row = self._reader.row(_BY_ALIAS, self._kind, tenant, digest(name, path))
        return None if row is None else decoded(Codebase, row[0])

    def _alias(self, value: Codebase) -> str:
        return digest(value.name, value.path)


@frozen
class SqliteDirectory:
    """The two registries (a ``Directory``)."""

    workers: SqliteRecords[Worker]
    agents: SqliteRecords[Agent]
