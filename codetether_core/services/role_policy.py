"""The policy without an engine: what a principal's roles allow."""

from __future__ import annotations

from functools import lru_cache

from codetether_core.access import Principal, allows, denied
from codetether_core.ids import TenantId

__all__ = ["RolePolicy"]


class RolePolicy:
    """Decides by ``access.ROLES`` alone (port ``Authorizer``)."""

    __slots__ = ()

    async def authorize(self, principal: Principal, permission: str, *, tenant: TenantId | None = None) -> None:
        """Return if roles and scopes allow it, in its own tenant; else ``PermissionDenied`` names the permission."""
        if tenant not in (None, principal.tenant):  # of which callers make up more than can be remembered
            allowed = allows(principal, permission, tenant)
        else:
            allowed = _allowed(principal.roles, principal.scopes, permission)
        if not allowed:
            raise denied(principal, permission, tenant)


@lru_cache(maxsize=4096)
def _allowed(roles: frozenset[str], scopes: frozenset[str] | None, permission: str) -> bool:
    return allows(Principal(name="", roles=roles, scopes=scopes), permission)
