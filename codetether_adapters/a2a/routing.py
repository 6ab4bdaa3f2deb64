"""Whose work a message is: what its metadata, else the request's, says of it.

``codebase_id``, ``agent_type``, ``target_agent_name``, ``model``, ``priority`` and ``session_id`` say it outright; what
they do not say, a ``skill_id`` of the card may. Who says nothing gets the codebase that is everybody's and the
installation's default agent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from codetether_adapters.a2a.prompts import prompt_of
from codetether_adapters.a2a.skill_ids import meant_by
from codetether_adapters.a2a_wire.v1 import V1
from codetether_adapters.a2a_wire.values import Message
from codetether_core.errors import Invalid
from codetether_core.ids import AgentName, CodebaseId, ContextId
from codetether_core.tasks import GLOBAL, TaskSpec

__all__ = ["KEPT", "RESUMED", "spec_of"]

KEPT: Final = "a2a"
"""The member of a task's metadata that has the message which asked for it."""

RESUMED: Final = "resume_session_id"
"""The member of a task's metadata that has the session to go on with."""

_TITLE: Final = 80
_LONGEST: Final = 255
_PRIORITY: Final = 2**31 - 1
_KINDS: Final[Mapping[str, type]] = {
    "codebase_id": str,
    "agent_type": str,
    "target_agent_name": str,
    "model": str,
    "priority": int,
    "session_id": str,
    "skill_id": str,
}
_CALLED: Final = {str: "a string", int: "an integer"}


def spec_of(message: Message, metadata: Mapping[str, Any], context: ContextId, default_agent: str) -> TaskSpec:
    """What the message asks for; ``Invalid`` names a member of its metadata, or the request's, that is wrong."""
    prompt = prompt_of(message)
    told = _told(message, metadata)
    skill = meant_by(told.get("skill_id", ""))
    agent = told.get("target_agent_name") or skill.agent
    kept: dict[str, Any] = {KEPT: {"message": V1.dump(message)}}
    if "session_id" in told:
        kept[RESUMED] = told["session_id"]
    return TaskSpec(
        codebase=CodebaseId(told.get("codebase_id") or skill.codebase or GLOBAL),
        title=_title(prompt),
        prompt=prompt,
        agent_type=told.get("agent_type") or skill.agent_type or default_agent,
        model=told["model"].replace(":", "/", 1) if told.get("model") else None,
        priority=told.get("priority", 0),
        target_agent=AgentName(agent) if agent else None,
        context=context,
        metadata=kept,
    )


def _told(message: Message, metadata: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for place, source in (("metadata", metadata), ("message.metadata", message.metadata or {})):
        for name, kind in _KINDS.items():
            value = source.get(name)
            if value is None:
                continue
            if kind is int and isinstance(value, float) and value.is_integer():
                value = int(value)  # protobuf has no other numbers in an object
            if not isinstance(value, kind) or isinstance(value, bool):
                raise Invalid(f"{place}.{name}", f"must be {_CALLED[kind]}")
            if isinstance(value, str) and len(value) > _LONGEST:
                raise Invalid(f"{place}.{name}", f"must have at most {_LONGEST} characters")
            found[name] = value
    if abs(found.get("priority", 0)) > _PRIORITY:
        raise Invalid("message.metadata.priority", f"must be between -{_PRIORITY} and {_PRIORITY}")
    return found


def _title(prompt: str) -> str:
    return prompt.strip().partition("\n")[0][:_TITLE]
