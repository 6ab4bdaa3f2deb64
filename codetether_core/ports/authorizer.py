"""Who may do what."""

from __future__ import annotations

from typing import Protocol

from codetether_core.access import Principal

__all__ = ["Authorizer"]


class Authorizer(Protocol):
    """Decides about one permission."""

    async def authorize(self, principal: Principal, permission: str) -> None:
        """Return if the principal may; ``PermissionDenied`` names the permission otherwise."""
        ...
