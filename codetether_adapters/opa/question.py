"""What a policy is asked: its input documents, described at the tops of ``authz.rego`` and ``agent.rego``."""

from __future__ import annotations

from typing import Any, Final

from codetether_core.access import Principal, ToolRequest
from codetether_core.ids import TenantId

__all__ = ["ACCESS", "AGENT", "question", "wish"]

ACCESS: Final = ("codetether", "authz", "allow")
"""The path of the rule that decides who may do what: ``true``, or it is not allowed."""

AGENT: Final = ("codetether", "agent", "verdict")
"""The path of the rule that decides what agents may do."""


def question(principal: Principal, permission: str, tenant: TenantId | None = None) -> dict[str, Any]:
    """May the principal, in that tenant (``None``: its own)?"""
    return {
        "permission": permission,
        "principal": {
            "name": principal.name,
            "tenant": principal.tenant,
            "roles": sorted(principal.roles),
            "scopes": None if principal.scopes is None else sorted(principal.scopes),
            "worker": principal.worker,
        },
        "resource": {"tenant": principal.tenant if tenant is None else tenant},
    }


def wish(request: ToolRequest) -> dict[str, Any]:
    """May the agent?"""
    tool = request.tool
    return {
        "tenant": request.tenant,
        "codebase": request.codebase,
        "checkout": request.checkout,
        "agent": request.agent,
        "worker": request.worker,
        "principal": request.principal,
        "created_by": request.created_by,
        "tool": {"name": tool.name, "kind": str(tool.kind), "command": tool.command, "paths": [*request.paths]},
    }
