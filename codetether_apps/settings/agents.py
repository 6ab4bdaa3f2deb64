"""Agents that are commands: ``[agents.NAME]`` tables in TOML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from codetether_apps.settings.errors import SettingsError

__all__ = ["AgentTemplate", "read_agents"]

_PROMPTS: Final = ("stdin", "argument", "none")
_KEYS: Final = ("command", "prompt", "env")


@frozen(kw_only=True)
class AgentTemplate:
    """How to start an agent: its command, where the prompt goes, and which variables it gets from our environment."""

    command: tuple[str, ...]
    prompt: str = "stdin"
    env: tuple[str, ...] = ()


def read_agents(table: object, place: str) -> dict[str, AgentTemplate]:
    """The templates of one file's ``[agents]``; ``place`` says which file."""
    if not isinstance(table, Mapping):
        raise SettingsError(f"agents in {place} must be tables, such as [agents.build]")
    return {str(name): _template(template, f"[agents.{name}] in {place}") for name, template in table.items()}


def _template(table: object, place: str) -> AgentTemplate:
    if not isinstance(table, Mapping):
        raise SettingsError(f"{place} must be a table with a command")
    for key in table:
        if key not in _KEYS:
            raise SettingsError(f"{place} has no {key}", hint=f"there are {', '.join(_KEYS)}")
    prompt = table.get("prompt", "stdin")
    if prompt not in _PROMPTS:
        raise SettingsError(f"prompt of {place} must be one of {', '.join(_PROMPTS)}")
    command = _texts(table.get("command"), f"command of {place}")
    if not command:
        raise SettingsError(f"{place} must have a command", hint='such as command = ["my-agent", "--json"]')
    return AgentTemplate(command=command, prompt=str(prompt), env=_texts(table.get("env", []), f"env of {place}"))


def _texts(value: object, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise SettingsError(f"{place} must be an array of texts")
    return tuple(value)
