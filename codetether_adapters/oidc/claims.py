"""From the claims of a verified token to a principal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from attrs import field, frozen

from codetether_core.access import DEFAULT_TENANT, ROLES, Principal
from codetether_core.errors import Unauthenticated
from codetether_core.ids import TenantId

__all__ = ["ClaimMapping", "principal_from"]

_TENANT: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)

_ALIASES: Final[Mapping[str, str]] = {"a2a-admin": "admin", "a2a-user": "editor", "a2a-agent": "agent"}
"""What the deployed system calls them at its provider."""


@frozen(kw_only=True)
class ClaimMapping:
    """Where roles and tenant are in a token.

    ``roles_at`` are paths, dots between; each leads to a list of names. ``roles`` says what names of others mean here;
    one of ours means itself. Without ``tenant_at`` everybody belongs to the default tenant.
    """

    roles_at: Sequence[str] = ("roles", "groups", "realm_access.roles")
    roles: Mapping[str, str] = field(factory=dict)
    tenant_at: str | None = None


def principal_from(claims: Mapping[str, Any], mapping: ClaimMapping) -> Principal:
    """Who it is: a subject is known by its issuer and its name there together.

    ``Unauthenticated`` where the tenant, which the mapping asks for, is missing or cannot be one; ``ValueError`` and
    its like for claims that are of no use.
    """
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise TypeError("the subject is no text")
    named = {name for path in mapping.roles_at for name in _names(_at(claims, path))}
    return Principal(
        name=f"{claims['sub']}@{claims['iss']}",
        tenant=_tenant(claims, mapping),
        roles=frozenset(_roles(named, mapping)),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        provider=claims["iss"],
    )


def _roles(named: set[str], mapping: ClaimMapping) -> Iterator[str]:
    for name in named:
        role = mapping.roles.get(name) or _ALIASES.get(name, name)
        if role in ROLES:
            yield role


def _tenant(claims: Mapping[str, Any], mapping: ClaimMapping) -> TenantId:
    if mapping.tenant_at is None:
        return DEFAULT_TENANT
    told = _at(claims, mapping.tenant_at)
    if not isinstance(told, str) or not _TENANT.fullmatch(told):
        raise Unauthenticated(
            f"The token names no tenant in its claim {mapping.tenant_at}", hint="ask whoever runs the identity provider"
        )
    return TenantId(told)


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """What is there; a claim's own name may have dots (URLs do)."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _names(told: Any) -> Iterator[str]:
    """Of a list, or of one text with spaces between; a group's path counts by its last part (``/team/editor``)."""
    if isinstance(told, str):
        told = told.split()
    if isinstance(told, list | tuple):
        for each in told:
            if isinstance(each, str):
                yield each.rpartition("/")[2] if each.startswith("/") else each
