"""Which worker may take which task, and why not.

Tasks that the same workers may take form a *lane*; a worker is asked once per lane, not once per task, so tasks
that it cannot take cost nothing however many there are.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from attrs import frozen

from codetether_core.ids import AgentName, CodebaseId, TenantId, WorkerId, digest
from codetether_core.tasks.task import TaskSpec

__all__ = [
    "ANYWHERE",
    "BUILT_IN_AGENTS",
    "GLOBAL",
    "PENDING_CODEBASE",
    "RELAYED",
    "Lane",
    "Profile",
    "Refusal",
    "lane_of",
    "refusals",
]

GLOBAL: Final = CodebaseId("global")
"""The codebase of tasks that belong to none."""

PENDING_CODEBASE: Final = CodebaseId("__pending__")
"""The codebase of ``register_codebase`` tasks: whichever worker has the path."""

ANYWHERE: Final = frozenset({GLOBAL, PENDING_CODEBASE})

RELAYED: Final = "a2a"
"""The type of tasks that only an agent elsewhere may do, which they have to name."""

BUILT_IN_AGENTS: Final = frozenset({"echo", "noop", "register_codebase"})


class Refusal(StrEnum):
    """Why a worker may not take a task."""

    TENANT = "other_tenant"
    CODEBASE = "codebase_not_served"
    TARGET_WORKER = "targets_another_worker"
    TARGET_AGENT = "targets_another_agent"
    CAPABILITY = "capability_missing"
    AGENT = "agent_not_offered"


@frozen
class Lane:
    """What the tasks of one lane ask of a worker."""

    tenant: TenantId
    codebase: CodebaseId
    agent_type: str
    target_agent: AgentName | None = None
    target_worker: WorkerId | None = None
    required_capabilities: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The lane's name in a store."""
        return digest(
            self.tenant,
            self.codebase,
            self.agent_type,
            self.target_agent or "",
            self.target_worker or "",
            *self.required_capabilities,
        )


@frozen(kw_only=True)
class Profile:
    """What a worker can do. ``agents`` are the agent types that it runs; empty means it did not say, so any.

    One that ``relays`` gives what it takes to agents elsewhere: it takes all that is for one of its ``names``, which
    are theirs, whatever the codebase and the type, and nothing else.
    """

    worker: WorkerId
    tenant: TenantId
    names: frozenset[str] = frozenset()
    codebases: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()
    relays: bool = False


def lane_of(tenant: TenantId, spec: TaskSpec) -> Lane:
    """The lane of a task with this specification."""
    return Lane(
        tenant, spec.codebase, spec.agent_type, spec.target_agent, spec.target_worker, spec.required_capabilities
    )


def refusals(lane: Lane, profile: Profile) -> tuple[Refusal, ...]:
    """Every reason that keeps this worker from the lane's tasks; none means it may take them."""
    found: list[Refusal] = []
    if lane.tenant != profile.tenant:
        found.append(Refusal.TENANT)
    if not profile.relays and lane.codebase not in ANYWHERE and lane.codebase not in profile.codebases:
        found.append(Refusal.CODEBASE)
    if lane.target_worker and lane.target_worker != profile.worker:
        found.append(Refusal.TARGET_WORKER)
    if (lane.target_agent or profile.relays) and lane.target_agent not in profile.names:
        found.append(Refusal.TARGET_AGENT)
    if not profile.capabilities.issuperset(lane.required_capabilities):
        found.append(Refusal.CAPABILITY)
    if not profile.relays and profile.agents and lane.agent_type not in profile.agents | BUILT_IN_AGENTS:
        found.append(Refusal.AGENT)
    return tuple(found)
