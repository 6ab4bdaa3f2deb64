"""Who asks: an authenticated name in one tenant, with roles."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from codetether_core.ids import TenantId

__all__ = ["DEFAULT_TENANT", "SYSTEM", "Principal"]

DEFAULT_TENANT: Final = TenantId("default")


@frozen(kw_only=True)
class Principal:
    """A caller. ``name`` is unique in its tenant and goes into records; ``roles`` are names of ``access.roles``."""

    name: str
    tenant: TenantId = DEFAULT_TENANT
    roles: frozenset[str] = frozenset()


SYSTEM: Final = Principal(name="system", roles=frozenset({"admin"}))
