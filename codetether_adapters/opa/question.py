"""What a policy is asked: its input document, described at the top of ``authz.rego``."""

from __future__ import annotations

from typing import Any, Final

from codetether_core.access import Principal

__all__ = ["RULE", "question"]

RULE: Final = ("codetether", "authz", "allow")
"""The path of the rule that decides: ``true``, or it is not allowed."""


def question(principal: Principal, permission: str) -> dict[str, Any]:
    """May the principal?"""
    return {
        "permission": permission,
        "principal": {
            "name": principal.name,
            "tenant": principal.tenant,
            "roles": sorted(principal.roles),
            "scopes": None if principal.scopes is None else sorted(principal.scopes),
            "worker": principal.worker,
        },
    }
