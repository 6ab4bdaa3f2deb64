"""Agents that are commands: ``[agents.NAME]`` tables in TOML, whose keys are the members of ``CommandTemplate``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from codetether_adapters.agents import CommandTemplate
from codetether_apps.settings.errors import SettingsError
from codetether_apps.settings.quantities import DURATION
from codetether_core.errors import Invalid

__all__ = ["read_agents"]


def read_agents(table: object, place: str) -> dict[str, CommandTemplate]:
    """The templates of one file's ``[agents]``; ``place`` says which file."""
    if not isinstance(table, Mapping):
        raise SettingsError(f"agents in {place} must be tables, such as [agents.build]")
    return {str(name): _template(str(name), content, place) for name, content in table.items()}


def _template(name: str, table: object, place: str) -> CommandTemplate:
    where = f"[agents.{name}] in {place}"
    if not isinstance(table, Mapping):
        raise SettingsError(f"{where} must be a table with a command")
    members: dict[str, Any] = {}
    for key, value in table.items():
        if key not in _KEYS:
            raise SettingsError(f"{where} has no {key}", hint=f"there are {', '.join(_KEYS)}")
        try:
            members[key] = _KEYS[key](value)
        except ValueError as error:
            raise SettingsError(f"{key} of {where} must be {error}") from None
    if "command" not in members:
        raise SettingsError(f"{where} must have a command", hint='such as command = ["my-agent", "--json"]')
    try:
        return CommandTemplate(name=name, **members)
    except Invalid as error:
        raise SettingsError(f"{error.field.rpartition('.')[2]} of {where} {error.problem}") from None


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


_KEYS: Final[Mapping[str, Callable[[object], Any]]] = {
    "command": _texts,
    "prompt": _text,
    "model": _texts,
    "session": _texts,
    "env": _texts,
    "set": _table,
    "timeout": DURATION.read,
}
