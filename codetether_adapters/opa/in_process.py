"""Rego in this process. Whatever goes wrong while an engine decides, the answer is no."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

import structlog
from attrs import evolve

from codetether_adapters.opa.engine import engine_of, first_lines
from codetether_adapters.opa.question import ACCESS, AGENT, question, wish
from codetether_adapters.opa.verdicts import verdict_of
from codetether_core.access import (
    PERMISSIONS,
    POLICY_FAILED,
    PUBLIC,
    ROLES,
    UNDEFINED,
    Principal,
    ToolKind,
    ToolRequest,
    ToolUse,
    Verdict,
    denied,
)
from codetether_core.errors import CodeTetherError, Invalid
from codetether_core.ids import CodebaseId, TenantId, WorkerId

__all__ = ["PolicyBroken", "RegoPolicy", "shipped_policy"]

_log = structlog.get_logger(__name__)

_REMEMBERED: Final = 4096

_EVERYBODY: Final = Principal(name="everybody", roles=frozenset(ROLES), scopes=PERMISSIONS)
_WISH: Final = ToolRequest(
    tenant=_EVERYBODY.tenant,
    codebase=CodebaseId("cb"),
    checkout="/checkout",
    agent="build",
    worker=WorkerId("worker"),
    principal="worker",
    created_by="somebody",
    tool=ToolUse(name="tool", paths=("file",)),
)


class PolicyBroken(CodeTetherError):
    """The policy does not compile, or does not decide."""

    code = "policy_broken"


def shipped_policy() -> Mapping[str, str]:
    """The modules that come with this package, by file name."""
    folder = files("codetether_adapters.opa")
    return {name: folder.joinpath(name).read_text(encoding="utf-8") for name in ("agent.rego", "authz.rego")}


class RegoPolicy:
    """Decides by ``codetether.authz.allow`` and ``codetether.agent.verdict`` of some modules (ports ``Authorizer`` and
    ``AgentPolicy``). Where no module is of the package ``codetether.agent``, nothing is said of agents.

    ``PolicyBroken`` at once for modules that do not compile, or that fail to decide about everybody and everything:
    some mistakes show only when a rule runs.
    """

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = tuple(modules.items())
        self._known: dict[tuple[Principal, str], bool] = {}
        try:
            self._judges = "data." + ".".join(AGENT[:-1]) in engine_of(self._modules).get_packages()
            for permission in (PUBLIC, *PERMISSIONS):
                self._evaluate(ACCESS, question(_EVERYBODY, permission))
            for kind in ToolKind:
                self._verdict(evolve(_WISH, tool=evolve(_WISH.tool, kind=kind)))
        except (RuntimeError, Invalid) as error:
            raise PolicyBroken(first_lines(error), hint="correct the policy") from None

    async def authorize(self, principal: Principal, permission: str, *, tenant: TenantId | None = None) -> None:
        """Return if the policy allows it; ``PermissionDenied`` names the permission otherwise."""
        # Which credential it was and when that ends is nothing that a policy is asked about.
        asking = evolve(principal, credential=None, expires_at=None)
        if not self._allows(asking, permission, None if tenant == principal.tenant else tenant):
            raise denied(principal, permission, tenant)

    async def judge(self, request: ToolRequest) -> Verdict:
        """What the policy says to an agent's wish."""
        try:
            return self._verdict(request)
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # an engine's panic is no Exception
            _log.error("policy_failed", agent=request.agent, tool=request.tool.name, error=first_lines(error))
            return POLICY_FAILED

    def _allows(self, principal: Principal, permission: str, elsewhere: TenantId | None) -> bool:
        known = self._known.get((principal, permission))
        if known is not None and elsewhere is None:
            return known
        try:
            allowed = self._evaluate(ACCESS, question(principal, permission, elsewhere)) is True
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # an engine's panic is no Exception
            _log.error("policy_failed", permission=permission, error=first_lines(error))
            return False
        if elsewhere is None:  # names that callers make up would fill the memory
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[principal, permission] = allowed
        return allowed

    def _verdict(self, request: ToolRequest) -> Verdict:
        said = self._evaluate(AGENT, wish(request)) if self._judges else None
        return UNDEFINED if said is None else verdict_of(said)

    def _evaluate(self, rule: tuple[str, ...], asked: Mapping[str, Any]) -> object:
        engine = engine_of(self._modules)
        engine.set_input(asked)
        return engine.eval_rule("data." + ".".join(rule))
