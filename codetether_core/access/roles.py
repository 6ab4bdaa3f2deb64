"""The default policy, as data: which role may do what.

A permission is ``resource:verb``. ``public`` is the permission of what anybody may see without a name. The same matrix
is reviewed in ``contracts/policy/cases.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from codetether_core.access.principal import Principal
from codetether_core.access.scopes import covers
from codetether_core.errors import NotFound, PermissionDenied
from codetether_core.ids import TenantId, WorkerId

__all__ = [
    "LEASE",
    "PERMISSIONS",
    "PUBLIC",
    "ROLES",
    "allows",
    "denied",
    "refuse_delegated",
    "require_tenant",
    "require_worker",
]

LEASE: Final = "lease"
"""Who shows the token of a task's lease may ask, and nobody else: no role holds it."""

PUBLIC: Final = "public"

_SEEING: Final = frozenset(
    {
        "agents:read",
        "approvals:read",
        "codebases:read",
        "identity:read",
        "identity:write",
        "messages:read",
        "monitor:read",
        "openapi:read",
        "push:read",
        "sessions:read",
        "tasks:read",
        "workers:read",
    }
)
_VIEWER: Final = _SEEING | {"database:read", "tasks:others", "tool_servers:read"}
_EDITOR: Final = _VIEWER | {
    "agents:delete",
    "agents:write",
    "approvals:write",
    "codebases:register",
    "codebases:write",
    "keys:read",
    "keys:write",
    "messages:intervene",
    "messages:write",
    "push:write",
    "sessions:delete",
    "sessions:write",
    "tasks:delete",
    "tasks:execute",
    "tasks:write",
}
_OPERATOR: Final = _EDITOR | {
    "audit:read",
    "deletions:override",
    "registrations:override",
    "secrets:read",
    "tool_servers:write",
    "workers:write",
}

PERMISSIONS: Final = _OPERATOR | {
    "accounts:read",
    "accounts:write",
    "backups:make",
    "encryption:read",
    "encryption:write",
    "keys:admin",
    "secrets:use",
    "secrets:write",
}
"""All there are. What is none of them is allowed to nobody."""

ROLES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "admin": PERMISSIONS,
        "operator": _OPERATOR,
        "editor": _EDITOR,
        "viewer": _VIEWER,
        "agent": _SEEING | {"agents:write", "messages:write", "push:write", "sessions:write", "tasks:write"},
        "worker": _VIEWER
        | {
            "agents:write",
            "codebases:register",
            "messages:write",
            "secrets:use",
            "sessions:write",
            "tasks:execute",
            "workers:write",
        },
    }
)
"""What each role may do: run the installation, keep it going, work with it, look at it, be an agent that gives work to
others, or be a worker that does it."""


def allows(principal: Principal, permission: str, tenant: TenantId | None = None) -> bool:
    """Whether one of the principal's roles holds the permission, and its scopes, if it has any, do not keep it out.

    In its own tenant alone, if one is named.
    """
    if permission == PUBLIC:
        return True
    if tenant not in (None, principal.tenant):
        return False
    if not any(permission in ROLES.get(role, frozenset()) for role in principal.roles):
        return False
    return principal.scopes is None or covers(principal.scopes, permission)


def denied(principal: Principal, permission: str, tenant: TenantId | None = None) -> PermissionDenied:
    """What is said to who may not; whether there is another ``tenant`` of that name nobody is told."""
    if tenant not in (None, principal.tenant):
        where, hint = f" in the tenant {tenant}", "leave X-Tenant-ID out, or sign in there"
        return PermissionDenied(f"{principal.name} may not {permission}{where}", hint=hint, permission=permission)
    hint = "" if principal.roles else "an administrator, or a group at the identity provider, has to give it a role"
    return PermissionDenied(f"{principal.name} may not {permission}", hint=hint, permission=permission)


def refuse_delegated(principal: Principal, verb: str) -> None:
    """``PermissionDenied`` for who shows a key: one that leaked must not bring about what outlives it."""
    if principal.delegated:
        raise PermissionDenied(f"A key {verb}", hint="sign in, or use a token of the settings")


def require_tenant(principal: Principal, tenant: TenantId | None) -> None:
    """``NotFound`` for a ``tenant`` that is not the principal's: whatever a policy says, nobody acts in another one."""
    if tenant not in (None, principal.tenant):
        raise NotFound("tenant", str(tenant))


def require_worker(principal: Principal, worker: WorkerId) -> None:
    """``PermissionDenied`` for a principal that is some other worker."""
    if principal.worker not in (None, worker):
        raise PermissionDenied(f"This token is good for the worker {principal.worker} alone", id=worker)
