"""Who asks: an authenticated name in one tenant, with roles."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from attrs import frozen

from codetether_core.ids import CredentialId, TenantId, WorkerId

__all__ = ["DEFAULT_TENANT", "SYSTEM", "Principal"]

DEFAULT_TENANT: Final = TenantId("default")


@frozen(kw_only=True)
class Principal:
    """A caller. ``name`` is unique in its tenant and goes into records; ``roles`` are names of ``access.roles``.

    ``scopes`` narrow them, ``None`` not at all. ``worker`` is the only one it may speak for. ``credential`` is the kept
    one that it showed, if it is one of ours, ``delegated`` whether that was made to act for somebody, and
    ``expires_at`` when what it showed no longer counts. ``provider`` is the identity provider that vouches for it, if
    one does.
    """

    name: str
    tenant: TenantId = DEFAULT_TENANT
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] | None = None
    worker: WorkerId | None = None
    credential: CredentialId | None = None
    delegated: bool = False
    expires_at: datetime | None = None
    provider: str | None = None


SYSTEM: Final = Principal(name="system", roles=frozenset({"admin"}))
