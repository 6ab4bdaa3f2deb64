"""Who may do what."""

from __future__ import annotations

from typing import Protocol

from codetether_core.access import Principal
from codetether_core.ids import TenantId

__all__ = ["Authorizer"]


class Authorizer(Protocol):
    """Decides about one permission."""

    async def authorize(self, principal: Principal, permission: str, *, tenant: TenantId | None = None) -> None:
        """Return if the principal may, in that ``tenant`` (``None``: its own); else ``PermissionDenied`` names the
        permission.
        """
        ...
