"""The default policy, as data: which role may do what.

A permission is ``resource:verb``; a role holds exact ones, ``resource:*``, ``*:verb`` or ``*:*``. ``public`` is the
permission of what anybody may see without a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from codetether_core.access.principal import Principal

__all__ = ["PUBLIC", "ROLES", "allows", "owns"]

PUBLIC: Final = "public"

ROLES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "admin": frozenset({"*:*"}),
        "editor": frozenset(
            {
                "*:read",
                "tasks:*",
                "codebases:*",
                "sessions:*",
                "approvals:*",
                "messages:*",
                "agents:*",
            }
        ),
        "viewer": frozenset({"*:read"}),
        "worker": frozenset(
            {
                "*:read",
                "tasks:execute",
                "codebases:register",
                "workers:write",
                "sessions:write",
                "agents:write",
                "messages:write",
            }
        ),
    }
)


def allows(principal: Principal, permission: str) -> bool:
    """Whether one of the principal's roles holds the permission."""
    if permission == PUBLIC:
        return True
    resource, _, verb = permission.partition(":")
    wanted = {permission, f"{resource}:*", f"*:{verb}", "*:*"}
    return any(wanted & ROLES.get(role, frozenset()) for role in principal.roles)


def owns(principal: Principal, owner: str) -> bool:
    """Whether it may speak for what ``owner`` registered: the owner itself, or who may do anything."""
    return principal.name == owner or allows(principal, "registrations:override")
