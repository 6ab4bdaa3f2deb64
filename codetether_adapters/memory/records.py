"""Codebases, workers and agents in memory: one table, compared and swapped by version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from attrs import frozen

from codetether_adapters.memory.log import MemoryLog
from codetether_adapters.tail import encoded
from codetether_core.agents import Agent
from codetether_core.codebases import Codebase
from codetether_core.errors import AlreadyExists, NotFound, VersionConflict
from codetether_core.events import Event
from codetether_core.ids import TenantId
from codetether_core.ports import Versioned
from codetether_core.workers import Worker

__all__ = ["MemoryCodebases", "MemoryDirectory", "MemoryRecords"]

V = TypeVar("V", bound=Versioned)


class MemoryRecords(Generic[V]):
    """The values of one kind (a ``RecordStore``)."""

    def __init__(self, kind: str, log: MemoryLog) -> None:
        self._kind = kind
        self._log = log
        self._values: dict[tuple[TenantId, str], V] = {}

    async def add(self, value: V, events: Sequence[Event] = ()) -> None:
        """Keep it under its tenant and id."""
        entries = encoded(events)
        if (value.tenant, value.id) in self._values or self._clashes(value):
            raise AlreadyExists(self._kind, value.id)
        self._values[value.tenant, value.id] = value
        self._moved(None, value)
        self._log.commit(entries)

    async def get(self, tenant: TenantId, id: str) -> V:
        """Look it up."""
        value = self._values.get((tenant, id))
        if value is None:
            raise NotFound(self._kind, id)
        return value

    async def replace(self, old: V, new: V, events: Sequence[Event] = ()) -> None:
        """Compare, then swap."""
        entries = encoded(events)
        present = self._compare(old)
        if self._clashes(new):
            raise AlreadyExists(self._kind, new.id)
        self._values[new.tenant, new.id] = new
        self._moved(present, new)
        self._log.commit(entries)

    async def remove(self, old: V, events: Sequence[Event] = ()) -> None:
        """Compare, then forget."""
        entries = encoded(events)
        present = self._compare(old)
        del self._values[old.tenant, old.id]
        self._moved(present, None)
        self._log.commit(entries)

    async def list(self, tenant: TenantId) -> Sequence[V]:
        """Sorted by id."""
        return [value for (owner, _), value in sorted(self._values.items()) if owner == tenant]

    def _compare(self, old: V) -> V:
        present = self._values.get((old.tenant, old.id))
        if present is None or present.version != old.version:
            raise VersionConflict(f"The {self._kind} was changed meanwhile", id=old.id)
        return present

    def _moved(self, old: V | None, new: V | None) -> None:
        """One took the place of the other: for who keeps an index."""

    def _clashes(self, value: V) -> bool:
        """Whether another value has what must be unique besides the id."""
        return False


class MemoryCodebases(MemoryRecords[Codebase]):
    """Codebases (a ``CodebaseStore``)."""

    def __init__(self, log: MemoryLog) -> None:
        super().__init__("codebase", log)

    async def find(self, tenant: TenantId, name: str, path: str) -> Codebase | None:
        """Look at all of them."""
        for codebase in self._values.values():
            if (codebase.tenant, codebase.name, codebase.path) == (tenant, name, path):
                return codebase
        return None

    def _clashes(self, value: Codebase) -> bool:
        return any(
            (other.tenant, other.name, other.path) == (value.tenant, value.name, value.path) and other.id != value.id
            for other in self._values.values()
        )


@frozen
class MemoryDirectory:
    """The two registries (a ``Directory``)."""

    workers: MemoryRecords[Worker]
    agents: MemoryRecords[Agent]
