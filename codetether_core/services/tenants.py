"""Who has anything here."""

from __future__ import annotations

from collections.abc import Sequence

from codetether_core.ids import TenantId
from codetether_core.ports import AuditLog

__all__ = ["tenants_of"]


async def tenants_of(trail: AuditLog) -> Sequence[TenantId]:
    """Every tenant, in order: nothing is changed without a record, and a chain of records stays when they are filed
    away.
    """
    return sorted({chain.tenant for chain in await trail.chains()})
