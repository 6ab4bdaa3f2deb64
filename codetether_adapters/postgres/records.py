"""Codebases, workers and agents in PostgreSQL: one table, compared and swapped by version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from attrs import frozen

from codetether_adapters.postgres.encoding import decoded, document
from codetether_adapters.postgres.operation import Operation, if_written
from codetether_adapters.postgres.reader import Reader
from codetether_adapters.postgres.writer import Writer
from codetether_adapters.tail import encoded
from codetether_core.agents import Agent
from codetether_core.codebases import Codebase
from codetether_core.errors import AlreadyExists, CodeTetherError, NotFound, VersionConflict
from codetether_core.events import Event
from codetether_core.ids import TenantId, digest
from codetether_core.ports import Versioned
from codetether_core.workers import Worker

__all__ = ["PostgresCodebases", "PostgresDirectory", "PostgresRecords"]

V = TypeVar("V", bound=Versioned)

_ADD: Final = """
INSERT INTO records (tenant, kind, id, version, alias, body) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING RETURNING TRUE
"""
_GET: Final = "SELECT body FROM records WHERE tenant = %s AND kind = %s AND id = %s"
_SWAP: Final = """
UPDATE records SET version = %s, alias = %s, body = %s WHERE tenant = %s AND kind = %s AND id = %s AND version = %s
RETURNING TRUE
"""
_REMOVE: Final = "DELETE FROM records WHERE tenant = %s AND kind = %s AND id = %s AND version = %s RETURNING TRUE"
_LIST: Final = "SELECT body FROM records WHERE tenant = %s AND kind = %s ORDER BY id"
_BY_ALIAS: Final = "SELECT body FROM records WHERE tenant = %s AND kind = %s AND alias = %s"


class PostgresRecords(Generic[V]):
    """The values of one kind (a ``RecordStore``)."""

    def __init__(self, type: type[V], kind: str, writer: Writer, reader: Reader) -> None:
        self._type = type
        self._kind = kind
        self._writer = writer
        self._reader = reader

    async def add(self, value: V, events: Sequence[Event] = ()) -> None:
        """Insert it."""
        row = [value.tenant, self._kind, value.id, value.version, self._alias(value), document(value)]
        await self._write(_ADD, row, value, events, AlreadyExists(self._kind, value.id))

    async def get(self, tenant: TenantId, id: str) -> V:
        """By primary key."""
        row = await self._reader.row(tenant, _GET, tenant, self._kind, id)
        if row is None:
            raise NotFound(self._kind, id)
        return decoded(self._type, row[0])

    async def replace(self, old: V, new: V, events: Sequence[Event] = ()) -> None:
        """Update the row that has the old version."""
        alias = self._alias(new)
        row = [new.version, alias, document(new), old.tenant, self._kind, old.id, old.version]
        quiet = not events and alias is None
        await self._write(_SWAP, row, old, events, self._changed(old), quiet=quiet)

    async def remove(self, old: V, events: Sequence[Event] = ()) -> None:
        """Delete the row that has the old version."""
        await self._write(_REMOVE, [old.tenant, self._kind, old.id, old.version], old, events, self._changed(old))

    async def list(self, tenant: TenantId) -> Sequence[V]:
        """In the order of the primary key."""
        found = await self._reader.rows(tenant, _LIST, tenant, self._kind)
        return [decoded(self._type, body) for (body,) in found]

    async def _write(
        self,
        sql: str,
        values: Sequence[object],
        value: V,
        events: Sequence[Event],
        refusal: CodeTetherError,
        *,
        quiet: bool = False,
    ) -> None:
        await self._writer.write(
            Operation(
                tenant=value.tenant,
                sql=sql,
                values=values,
                settle=if_written(encoded(events), refusal),
                row=f"record {value.tenant} {self._kind} {value.id}",
                taken=AlreadyExists(self._kind, value.id),
                quiet=quiet,
            )
        )

    def _changed(self, old: V) -> VersionConflict:
        return VersionConflict(f"The {self._kind} was changed meanwhile", id=old.id)

    def _alias(self, value: V) -> str | None:
        """What must be unique besides the id."""
        return None


class PostgresCodebases(PostgresRecords[Codebase]):
    """Codebases (a ``CodebaseStore``)."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        super().__init__(Codebase, "codebase", writer, reader)

    async def find(self, tenant: TenantId, name: str, path: str) -> Codebase | None:
        """By the unique index."""
        row = await self._reader.row(tenant, _BY_ALIAS, tenant, self._kind, digest(name, path))
        return None if row is None else decoded(Codebase, row[0])

    def _alias(self, value: Codebase) -> str:
        return digest(value.name, value.path)


@frozen
class PostgresDirectory:
    """The two registries (a ``Directory``)."""

    workers: PostgresRecords[Worker]
    agents: PostgresRecords[Agent]
