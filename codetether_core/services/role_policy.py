"""The policy without an engine: what a principal's roles allow."""

from __future__ import annotations

from functools import lru_cache

from codetether_core.access import Principal, allows, denied

__all__ = ["RolePolicy"]


class RolePolicy:
    """Decides by ``access.ROLES`` alone (port ``Authorizer``)."""

    __slots__ = ()

    async def authorize(self, principal: Principal, permission: str) -> None:
        """Return if roles and scopes allow it; ``PermissionDenied`` names the permission otherwise."""
        if not _allowed(principal.roles, principal.scopes, permission):
            raise denied(principal, permission)


@lru_cache(maxsize=4096)
def _allowed(roles: frozenset[str], scopes: frozenset[str] | None, permission: str) -> bool:
    return allows(Principal(name="", roles=roles, scopes=scopes), permission)
