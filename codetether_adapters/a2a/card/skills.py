"""Skills: what anybody may know that we can do, and what of a tenant's those may know who belong to it.

The public card names no agent, worker or codebase: anybody reads it, and what there is in a tenant is the tenant's
business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from codetether_adapters.a2a.card.profile import Skill
from codetether_adapters.a2a.skill_ids import DELEGATION, agent_skill, codebase_skill, is_agent_type
from codetether_core.agents import Agent
from codetether_core.codebases import Codebase
from codetether_core.workers import Presence, Worker, presence

__all__ = ["PUBLIC", "of_agents", "of_codebases", "of_workers"]

PUBLIC: Final = (
    Skill(
        id=DELEGATION,
        name="Task delegation",
        description=(
            "Have a coding agent do what a message asks for, on whichever worker can. What it says and makes comes back"
            " as it goes; where it has to ask, a further message answers. metadata.codebase_id names where to work,"
            " and metadata.agent_type, target_agent_name or model who does it."
        ),
        tags=("coding", "agents", "delegation", "streaming", "human-in-the-loop"),
        examples=("Find out why the build fails, and mend it.",),
    ),
)
"""Those of every installation."""

_INNER: Final = frozenset({"register_codebase"})
"""Types of agents that need more than a message can say."""


def of_agents(agents: Iterable[Agent]) -> Iterator[Skill]:
    """One for each."""
    for each in agents:
        models = (f"model:{model}" for model in each.models_supported if model)
        yield Skill(
            id=_words(agent_skill(each.name)),
            name=_words(each.name),
            description=_words(each.description) or f"What the agent {_words(each.name)} does.",
            tags=tuple(dict.fromkeys(map(_words, filter(None, ("agent", each.role, *models))))),
        )


def of_workers(workers: Iterable[Worker], now: datetime) -> Iterator[Skill]:
    """One for each type of agent that any of those runs that are there."""
    there = (each for each in workers if presence(each, now) is Presence.ACTIVE)
    for type in sorted({type for each in there for type in each.agents if is_agent_type(type)} - _INNER):
        name = _words(type)
        yield Skill(
            id=name, name=name, description=f"Work by {name}, a type of agent that workers run.", tags=("agent-type",)
        )


def of_codebases(codebases: Iterable[Codebase]) -> Iterator[Skill]:
    """One for each."""
    for each in codebases:
        yield Skill(
            id=_words(codebase_skill(each.id)),
            name=_words(each.name),
            description=_words(each.description) or f"Work in the codebase {_words(each.name)}.",
            tags=("codebase",),
        )


def _words(text: str) -> str:
    """What can be written as UTF-8, and so signed."""
    return text.encode("utf-8", "replace").decode()
