"""What all aggregates but tasks are kept in: compare and swap by version, nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from codetether_core.events import Event
from codetether_core.ids import TenantId

__all__ = ["RecordStore", "Versioned"]


class Versioned(Protocol):
    """A frozen value with an identity in its tenant and a version that each change raises by one."""

    @property
    def id(self) -> str:
        """What it is filed under in its tenant."""
        ...

    @property
    def tenant(self) -> TenantId:
        """Whose it is."""
        ...

    @property
    def version(self) -> int:
        """1 at first."""
        ...


V = TypeVar("V", bound=Versioned)


class RecordStore(Protocol[V]):
    """Values of one kind. Writes take their events into the log in the same transaction and wake its readers."""

    async def add(self, value: V, events: Sequence[Event] = ()) -> None:
        """Keep a new value; ``AlreadyExists`` if its id, or what else must be unique, is taken."""
        ...

    async def get(self, tenant: TenantId, id: str) -> V:
        """One value; ``NotFound``, also for another tenant's."""
        ...

    async def replace(self, old: V, new: V, events: Sequence[Event] = ()) -> None:
        """Write ``new`` if the version is still ``old.version``; else ``VersionConflict``."""
        ...

    async def remove(self, old: V, events: Sequence[Event] = ()) -> None:
        """Forget the value if the version is still ``old.version``; else ``VersionConflict``."""
        ...

    async def list(self, tenant: TenantId) -> Sequence[V]:
        """All of them, in order of id."""
        ...
