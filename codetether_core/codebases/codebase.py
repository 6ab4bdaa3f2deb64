"""Codebases: a named directory that workers have, unique by (tenant, name, path)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import Factory, evolve, frozen

from codetether_core.ids import CodebaseId, TenantId, WorkerId

__all__ = ["Codebase", "served_by"]


@frozen(kw_only=True)
class Codebase:
    """A directory under version control on one or more machines; ``workers`` are those that registered it."""

    id: CodebaseId
    tenant: TenantId
    name: str
    path: str
    registered_at: datetime
    updated_at: datetime
    description: str = ""
    agent_config: Mapping[str, Any] = Factory(dict[str, Any])
    workers: frozenset[WorkerId] = frozenset()
    watching: bool = False
    watch_interval: int = 5
    last_triggered: datetime | None = None
    version: int = 1


def served_by(
    codebase: Codebase,
    worker: WorkerId | None,
    now: datetime,
    *,
    description: str = "",
    agent_config: Mapping[str, Any],
) -> Codebase:
    """The codebase once ``worker`` has registered it too; the same value where that says nothing new."""
    registered = evolve(
        codebase,
        workers=codebase.workers | {worker} if worker else codebase.workers,
        description=description or codebase.description,
        agent_config=agent_config or codebase.agent_config,
    )
    if registered == codebase:
        return codebase
    return evolve(registered, updated_at=now, version=codebase.version + 1)
