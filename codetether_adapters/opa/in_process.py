"""Rego in this process, by Regorus.

An engine belongs to the thread that made it, and panics in any other, even where it is thrown away; so each thread
keeps its own, for as long as it lives. Whatever goes wrong while one decides, the answer is no.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib.resources import files
from threading import local
from typing import Final, TypeAlias

import regorus
import structlog
from attrs import evolve

from codetether_adapters.opa.question import RULE, question
from codetether_core.access import PERMISSIONS, PUBLIC, ROLES, Principal, denied
from codetether_core.errors import CodeTetherError

__all__ = ["PolicyBroken", "RegoPolicy", "shipped_policy"]

_log = structlog.get_logger(__name__)

_RULE: Final = "data." + ".".join(RULE)
_REMEMBERED: Final = 4096
_OWN: Final = local()

_Modules: TypeAlias = tuple[tuple[str, str], ...]
_EVERYBODY: Final = Principal(name="everybody", roles=frozenset(ROLES), scopes=PERMISSIONS)


class PolicyBroken(CodeTetherError):
    """The policy does not compile, or does not decide."""

    code = "policy_broken"


def shipped_policy() -> Mapping[str, str]:
    """The modules that come with this package, by file name."""
    name = "authz.rego"
    return {name: files("codetether_adapters.opa").joinpath(name).read_text(encoding="utf-8")}


class RegoPolicy:
    """Decides by the rule ``codetether.authz.allow`` of some modules (port ``Authorizer``).

    ``PolicyBroken`` at once for modules that do not compile, or that fail to decide about everybody and everything:
    some mistakes show only when a rule runs.
    """

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = tuple(modules.items())
        self._known: dict[tuple[Principal, str], bool] = {}
        try:
            for permission in (PUBLIC, *PERMISSIONS):
                self._evaluate(_EVERYBODY, permission)
        except RuntimeError as error:
            raise PolicyBroken(_first_lines(error), hint="correct the policy") from None

    async def authorize(self, principal: Principal, permission: str) -> None:
        """Return if the policy allows it; ``PermissionDenied`` names the permission otherwise."""
        if not self._allows(principal, permission):
            raise denied(principal, permission)

    def _allows(self, principal: Principal, permission: str) -> bool:
        # Which credential it was and when that ends is nothing that a policy is asked about.
        principal = evolve(principal, credential=None, expires_at=None)
        known = self._known.get((principal, permission))
        if known is not None:
            return known
        try:
            allowed = self._evaluate(principal, permission)
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # an engine's panic is no Exception
            _log.error("policy_failed", permission=permission, error=_first_lines(error))
            return False
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[principal, permission] = allowed
        return allowed

    def _evaluate(self, principal: Principal, permission: str) -> bool:
        engine = _engine(self._modules)
        engine.set_input(question(principal, permission))
        return engine.eval_rule(_RULE) is True


def _engine(modules: _Modules) -> regorus.Engine:
    """This thread's, with these modules."""
    try:
        engines: dict[_Modules, regorus.Engine] = _OWN.engines
    except AttributeError:
        engines = _OWN.engines = {}
    if modules not in engines:
        engine = regorus.Engine()
        try:
            for name, module in modules:
                engine.add_policy(name, module)
        except RuntimeError:
            del engine  # here and now, rather than wherever the traceback ends
            raise
        engines[modules] = engine
    return engines[modules]


def _first_lines(error: BaseException) -> str:
    return str(error).partition("Stack backtrace")[0].strip()
