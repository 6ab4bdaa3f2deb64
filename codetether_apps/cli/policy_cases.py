"""Cases to try a policy on: what it is asked, and what it has to answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from attrs import Factory, frozen

from codetether_apps.wiring.policy import Policy
from codetether_core import codec
from codetether_core.access import DEFAULT_TENANT, ROLES, Decision, Principal, ToolRequest, ToolUse
from codetether_core.errors import PermissionDenied
from codetether_core.ids import CodebaseId, TenantId, WorkerId

__all__ = ["AccessCase", "AgentCase", "Case", "Cases", "read_cases"]

_CODEBASE: Final = CodebaseId("codebase")
_WORKER: Final = WorkerId("worker")


class Case(Protocol):
    """One of either kind; what is wanted and what is decided are said in the same words."""

    @property
    def title(self) -> str: ...

    @property
    def wanted(self) -> str: ...

    async def decided(self, policy: Policy) -> str: ...


@frozen(kw_only=True)
class AccessCase:
    """Whether somebody of these roles and scopes may do something, in a tenant if one is named."""

    roles: tuple[str, ...]
    permission: str
    allow: bool
    scopes: tuple[str, ...] | None = None
    tenant: TenantId | None = None
    name: str = ""

    @property
    def title(self) -> str:
        return self.name or self.permission

    @property
    def wanted(self) -> str:
        return _word(self.allow)

    async def decided(self, policy: Policy) -> str:
        return _word(await self.allowed(policy))

    async def allowed(self, policy: Policy) -> bool:
        """What the policy says."""
        scopes = None if self.scopes is None else frozenset(self.scopes)
        principal = Principal(name="somebody", roles=frozenset(self.roles), scopes=scopes)
        try:
            await policy.access.authorize(principal, self.permission, tenant=self.tenant)
        except PermissionDenied:
            return False
        return True


@frozen(kw_only=True)
class AgentCase:
    """What becomes of an agent's wish, and by which ``rule`` if that is to be tried as well."""

    tool: ToolUse
    decision: Decision
    rule: str | None = None
    tenant: TenantId = DEFAULT_TENANT
    codebase: CodebaseId = _CODEBASE
    checkout: str | None = "/srv/demo"
    agent: str = "build"
    worker: WorkerId = _WORKER
    principal: str = "worker"
    created_by: str = "somebody"
    name: str = ""

    @property
    def title(self) -> str:
        return self.name or self.tool.name

    @property
    def wanted(self) -> str:
        return self.decision if self.rule is None else f"{self.decision} ({self.rule})"

    async def decided(self, policy: Policy) -> str:
        verdict = await policy.agents.judge(
            ToolRequest(
                tenant=self.tenant,
                codebase=self.codebase,
                checkout=self.checkout,
                agent=self.agent,
                worker=self.worker,
                principal=self.principal,
                created_by=self.created_by,
                tool=self.tool,
            )
        )
        return verdict.decision if self.rule is None else f"{verdict.decision} ({verdict.rule})"


@frozen(kw_only=True)
class Cases:
    """What a policy has to decide: for each permission the roles that hold it, further cases, and agents' wishes."""

    matrix: Mapping[str, Any] = Factory(dict[str, Any])
    cases: tuple[AccessCase, ...] = ()
    agents: tuple[AgentCase, ...] = ()

    def __iter__(self) -> Iterator[Case]:
        yield from self.cases
        for permission, roles in self.matrix.items():
            for role in ROLES:
                name = f"{role}, {permission}"
                yield AccessCase(roles=(role,), permission=permission, allow=role in roles, name=name)
        yield from self.agents


def read_cases(path: Path) -> Cases:
    """The cases of a file; ``OSError``, ``ValueError`` or ``Invalid`` if it has none."""
    return codec.parse(Cases, json.loads(path.read_text("utf-8")))


def _word(allowed: bool) -> str:
    return "allowed" if allowed else "refused"
