"""Secrets of a tenant, such as the keys of model providers."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from codetether_core.ids import TenantId

__all__ = ["Secret"]


@frozen(kw_only=True)
class Secret:
    """A secret that a tenant registered: ``sealed`` is its value, encrypted; ``id`` is its name in the tenant.

    Runs of these ``agents`` (none: every kind) are handed it in the environment ``variable``, if it has one.
    """

    id: str
    tenant: TenantId
    sealed: str = field(repr=False)
    variable: str | None = None
    agents: frozenset[str] = frozenset()
    created_by: str
    created_at: datetime
    changed_at: datetime
    version: int = 1
