"""Agents: names that can be discovered and written to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import Factory, evolve, frozen

from codetether_core.agents.peer import Peer
from codetether_core.ids import AgentName, TenantId

__all__ = ["EXPIRES_AFTER", "Agent", "discoverable", "heard"]

EXPIRES_AFTER: Final = timedelta(seconds=120)


@frozen(kw_only=True)
class Agent:
    """A registered agent. ``name`` is unique per tenant; what is before its first ``:`` is the role.

    One that is a ``peer`` did not register itself: it is elsewhere, and tasks that name it are given to it.
    """

    name: AgentName
    tenant: TenantId
    principal: str
    registered_at: datetime
    last_seen: datetime
    url: str = ""
    description: str = ""
    capabilities: Mapping[str, Any] = Factory(dict[str, Any])
    models_supported: tuple[str, ...] = ()
    peer: Peer | None = None
    version: int = 1

    @property
    def id(self) -> str:
        """What stores file it under."""
        return self.name

    @property
    def role(self) -> str:
        """The part of the name that says what it does."""
        return self.name.partition(":")[0]

    @property
    def instance(self) -> str:
        """The part of the name that says which one of its role it is; empty for a sole one."""
        return self.name.partition(":")[2]


def discoverable(agent: Agent, now: datetime, max_age: timedelta = EXPIRES_AFTER) -> bool:
    """Whether it was heard recently enough to be offered to others; a peer says nothing by itself."""
    return agent.peer is not None or now - agent.last_seen < max_age


def heard(agent: Agent, now: datetime) -> Agent:
    """The agent after a heartbeat; one that had expired is discoverable again."""
    return evolve(agent, last_seen=now, version=agent.version + 1)
