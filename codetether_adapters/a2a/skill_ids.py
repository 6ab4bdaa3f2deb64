"""Ids of skills, as the card has them and messages name them: whose work a message with one is.

``task_delegation`` is anybody's, ``agent:`` has the name of one agent behind it, ``codebase:`` the id of a codebase.
Any other is a type of agent.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

__all__ = ["DELEGATION", "Meant", "agent_skill", "codebase_skill", "is_agent_type", "meant_by"]

DELEGATION: Final = "task_delegation"
"""The installation's default agent, wherever the message says."""

_AGENT: Final = "agent:"
_CODEBASE: Final = "codebase:"


@frozen(kw_only=True)
class Meant:
    """What a skill says of a task; empty where it says nothing."""

    codebase: str = ""
    agent_type: str = ""
    agent: str = ""


def meant_by(id: str) -> Meant:
    """What a message means that names this one."""
    if id == DELEGATION:
        return Meant()
    if id.startswith(_AGENT):
        return Meant(agent=id.removeprefix(_AGENT))
    if id.startswith(_CODEBASE):
        return Meant(codebase=id.removeprefix(_CODEBASE))
    return Meant(agent_type=id)


def agent_skill(name: str) -> str:
    """The id of what an agent does."""
    return f"{_AGENT}{name}"


def codebase_skill(codebase: str) -> str:
    """The id of work in a codebase."""
    return f"{_CODEBASE}{codebase}"


def is_agent_type(id: str) -> bool:
    """Whether a message that names it means the type of agent that is called so."""
    return bool(id) and meant_by(id) == Meant(agent_type=id)
