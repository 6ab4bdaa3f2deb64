"""What ``contracts/policy/cases.json`` says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from codetether_core.access import DEFAULT_TENANT, Decision, Principal, ToolKind, ToolRequest, ToolUse
from codetether_core.ids import CodebaseId, TenantId, WorkerId

__all__ = ["AGENT_CASES", "CASES", "MATRIX", "ROLE_NAMES", "AgentCase", "Case"]

_SAID: Final = json.loads((Path(__file__).parents[2] / "contracts/policy/cases.json").read_text("utf-8"))


@frozen
class Case:
    """Whether somebody may do something, in a tenant if one is named."""

    name: str
    principal: Principal
    permission: str
    allow: bool
    tenant: TenantId | None = None


@frozen
class AgentCase:
    """What becomes of an agent's wish, and by which rule."""

    name: str
    request: ToolRequest
    decision: Decision
    rule: str


def _agent_case(said: Mapping[str, Any]) -> AgentCase:
    tool = said["tool"]
    request = ToolRequest(
        tenant=DEFAULT_TENANT,
        codebase=CodebaseId("cb"),
        checkout=said.get("checkout", "/srv/demo"),
        agent="build",
        worker=WorkerId("w1"),
        principal="bot",
        created_by="carol",
        tool=ToolUse(
            name=tool["name"],
            kind=ToolKind(tool.get("kind", "other")),
            command=tool.get("command"),
            paths=tuple(tool.get("paths", ())),
        ),
    )
    return AgentCase(said["name"], request, Decision(said["decision"]), said["rule"])


def _case(said: Mapping[str, Any]) -> Case:
    scopes = None if said["scopes"] is None else frozenset(said["scopes"])
    principal = Principal(name="carol", roles=frozenset(said["roles"]), scopes=scopes)
    return Case(said["name"], principal, said["permission"], said["allow"], said.get("tenant"))


MATRIX: Final[Mapping[str, frozenset[str]]] = {each: frozenset(roles) for each, roles in _SAID["matrix"].items()}
"""Of every permission, the roles that hold it."""

ROLE_NAMES: Final[Sequence[str]] = sorted(frozenset().union(*MATRIX.values()))

CASES: Final[Sequence[Case]] = [
    *(_case(said) for said in _SAID["cases"]),
    *(
        Case(f"{role} {permission}", Principal(name="carol", roles=frozenset({role})), permission, role in roles)
        for permission, roles in MATRIX.items()
        for role in ROLE_NAMES
    ),
]
"""Those that are written out, and every cell of the matrix."""

AGENT_CASES: Final[Sequence[AgentCase]] = [_agent_case(said) for said in _SAID["agents"]]
"""What agents wish to do in the checkout ``/srv/demo``, unless there is said to be another one, or none."""
