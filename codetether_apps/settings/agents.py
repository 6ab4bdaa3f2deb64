"""Agents of one's own: ``[agents.NAME]`` tables in TOML.

Their keys are the members of ``CommandTemplate``, or with ``protocol = "acp"`` those of ``AcpTemplate``, whose command
is known where NAME, or ``agent``, is the name of a known agent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from codetether_adapters.agents import LAUNCHES, AcpTemplate, AgentTemplate, CommandTemplate
from codetether_apps.settings.errors import SettingsError
from codetether_apps.settings.quantities import DURATION
from codetether_core.errors import Invalid

__all__ = ["read_agents"]


def read_agents(table: object, place: str) -> dict[str, AgentTemplate]:
    """The templates of one file's ``[agents]``; ``place`` says which file."""
    if not isinstance(table, Mapping):
        raise SettingsError(f"agents in {place} must be tables, such as [agents.build]")
    return {str(name): _template(str(name), content, place) for name, content in table.items()}


def _template(name: str, table: object, place: str) -> AgentTemplate:
    where = f"[agents.{name}] in {place}"
    if not isinstance(table, Mapping):
        raise SettingsError(f"{where} must be a table with a command")
    keys = _COMMAND_KEYS
    if "protocol" in table:
        if table["protocol"] != "acp":
            raise SettingsError(
                f'protocol of {where} must be "acp"', hint="leave it out for a command that prints text"
            )
        keys = _ACP_KEYS
    members = _members(table, keys, where)
    try:
        if keys is _COMMAND_KEYS:
            if "command" not in members:
                raise SettingsError(f"{where} must have a command", hint='such as command = ["my-agent", "--json"]')
            return CommandTemplate(name=name, **members)
        return AcpTemplate(name=name, **_launched(name, members, where))
    except Invalid as error:
        raise SettingsError(f"{error.field.rpartition('.')[2]} of {where} {error.problem}") from None


def _members(table: Mapping[Any, Any], keys: Mapping[str, Callable[[object], Any]], where: str) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, value in table.items():
        if key == "protocol":
            continue
        if key not in keys:
            raise SettingsError(f"{where} has no {key}", hint=f"there are protocol, {', '.join(keys)}")
        try:
            members[key] = keys[key](value)
        except ValueError as error:
            raise SettingsError(f"{key} of {where} must be {error}") from None
    return members


def _launched(name: str, members: dict[str, Any], where: str) -> dict[str, Any]:
    """The members with a command: that of the file, else the one by which the agent is known to be started."""
    agent = members.pop("agent", name)
    if "command" not in members:
        if agent not in LAUNCHES:
            raise SettingsError(
                f"{where} must have a command, since nobody here knows how {agent} is started",
                hint=f'such as command = ["my-agent", "acp"], or agent with one of {", ".join(LAUNCHES)}',
            )
        members["command"] = LAUNCHES[agent]
    return members


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise ValueError("an array of texts")
    return tuple(value)


def _table(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
        raise ValueError('a table of texts, such as { CI = "1" }')
    return dict(value)


_COMMAND_KEYS: Final[Mapping[str, Callable[[object], Any]]] = {
    "command": _texts,
    "prompt": _text,
    "model": _texts,
    "session": _texts,
    "env": _texts,
    "set": _table,
    "timeout": DURATION.read,
}
_ACP_KEYS: Final[Mapping[str, Callable[[object], Any]]] = {
    "agent": _text,
    "command": _texts,
    "model": _texts,
    "env": _texts,
    "set": _table,
    "timeout": DURATION.read,
    "initialize_timeout": DURATION.read,
    "idle_timeout": DURATION.read,
}
