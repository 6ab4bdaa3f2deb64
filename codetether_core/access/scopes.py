"""Scopes: what a credential is for. They narrow what its owner's roles allow, and add nothing to it."""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["covers"]


def covers(scopes: Collection[str], permission: str) -> bool:
    """Whether one of them is the permission, or ``resource:*`` with its resource."""
    resource, colon, verb = permission.partition(":")
    return bool(resource and colon and verb) and (permission in scopes or f"{resource}:*" in scopes)
