"""What this worker's agents say that they can do, for tasks that require it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from tempfile import TemporaryDirectory
from typing import Protocol, runtime_checkable

import structlog

from codetether_core.ports import RunFailed, Runner

__all__ = ["Able", "abilities_of"]

_log = structlog.get_logger(__name__)


@runtime_checkable
class Able(Protocol):
    """An agent that tells."""

    async def abilities(self, directory: str) -> frozenset[str]:
        """The names of its abilities, found out in an empty directory; ``RunFailed``."""
        ...


async def abilities_of(agents: Mapping[str, Runner]) -> tuple[str, ...]:
    """Those of all that tell, as ``AGENT:ABILITY``; one that fails to is logged, and may do better in a run."""

    async def told(name: str, agent: Able) -> list[str]:
        with TemporaryDirectory(prefix="codetether-") as empty:
            try:
                return sorted(f"{name}:{each}" for each in await agent.abilities(empty))
            except RunFailed as failure:
                _log.warning("agent_not_met", agent=name, reason=failure.reason, error=failure.error)
                return []

    async with asyncio.TaskGroup() as meeting:
        able = {name: agent for name, agent in sorted(agents.items()) if isinstance(agent, Able)}
        asked = [meeting.create_task(told(name, agent)) for name, agent in able.items()]
    return tuple(ability for each in asked for ability in each.result())
