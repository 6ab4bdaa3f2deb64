"""Secrets of a tenant, such as the keys of model providers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from attrs import evolve, field, frozen

from codetether_core.errors import Invalid
from codetether_core.ids import TenantId

__all__ = ["HandedSecret", "Secret", "changed", "registered"]

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)


@frozen(kw_only=True)
class Secret:
    """A secret that a tenant registered: ``sealed`` is its value, encrypted; ``id`` is its name in the tenant.

    Runs of these ``agents`` (none: every kind) are handed it in the environment ``variable``, if it has one.
    """

    id: str
    tenant: TenantId
    sealed: str = field(repr=False)
    variable: str | None = None
    agents: frozenset[str] = frozenset()
    created_by: str
    created_at: datetime
    changed_at: datetime
    version: int = 1


@frozen(kw_only=True)
class HandedSecret:
    """A secret as a run is handed it: its ``value`` in the environment ``variable``."""

    name: str
    variable: str
    value: str = field(repr=False)


def registered(
    name: str,
    tenant: TenantId,
    *,
    sealed: str,
    variable: str | None,
    agents: Iterable[str],
    created_by: str,
    now: datetime,
) -> Secret:
    """A new one; ``Invalid`` for a variable that no program can have, or for agents without one."""
    if variable is not None and not _VARIABLE.fullmatch(variable):
        raise Invalid("variable", "must be the name of an environment variable", hint="such as ANTHROPIC_API_KEY")
    if agents and variable is None:
        hint = "name the variable, too, or no agents: what an agent elsewhere is to know us by needs neither"
        raise Invalid("agents", "are handed nothing without a variable", hint=hint)
    return Secret(
        id=name,
        tenant=tenant,
        sealed=sealed,
        variable=variable,
        agents=frozenset(agents),
        created_by=created_by,
        created_at=now,
        changed_at=now,
    )


def changed(secret: Secret, *, sealed: str, variable: str | None, agents: Iterable[str], now: datetime) -> Secret:
    """Another value, or other runs that are handed it."""
    return evolve(
        secret,
        sealed=sealed,
        variable=variable,
        agents=frozenset(agents),
        changed_at=now,
        version=secret.version + 1,
    )
