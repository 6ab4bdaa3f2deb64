"""The audit trail, as a store keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from codetether_core.audit import Chain, Link
from codetether_core.events import Event
from codetether_core.ids import TenantId

__all__ = ["AuditLog"]


class AuditLog(Protocol):
    """Chains of records. Nothing here changes a record.

    Whatever a store is told to write, events of the scope ``AUDIT`` among it become records of the trail: in the same
    transaction, with the next numbers of a chain of their topic's tenant. All methods raise ``Unavailable``.
    """

    async def append(self, events: Sequence[Event], *, chain: str = "") -> None:
        """Add records that go with no other write, events of the scope ``AUDIT``: to that own chain, or to any."""
        ...

    async def chains(self, tenant: TenantId | None = None) -> Sequence[Chain]:
        """The tenant's chains, or everybody's, in order of tenant and name."""
        ...

    async def read(self, tenant: TenantId, chain: str, *, after: int = 0, limit: int) -> Sequence[Link]:
        """The kept records that come after that number, at most ``limit``, in order."""
        ...

    async def latest(self, tenant: TenantId, chain: str, *, before: int | None = None, limit: int) -> Sequence[Link]:
        """The last kept records, or those before that number, at most ``limit``, the latest first."""
        ...

    def is_own(self, chain: str) -> bool:
        """Whether this store adds to chains of that name."""
        ...

    async def keep(self, tenant: TenantId, chain: str, start: int, links: Sequence[Link]) -> None:
        """Take over a stretch of another store's chain as it is, the next after what is here.

        ``start`` is how far that chain was filed away. The chain never gets a record of this store's own.
        """
        ...

    async def trim(self, tenant: TenantId, chain: str, through: int) -> int:
        """Forget the records up to that number, whose place is never given again; how many went now."""
        ...
