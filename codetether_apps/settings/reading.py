"""From flags, environment, mounted files and ``codetether.toml`` to ``Settings``: who says something first decides."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Set
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import attrs

from codetether_adapters.agents import AgentTemplate
from codetether_apps.settings.agents import read_agents
from codetether_apps.settings.directories import config_files
from codetether_apps.settings.errors import SettingsError
from codetether_apps.settings.files import SettingsFile, read_file
from codetether_apps.settings.kinds import Kind
from codetether_apps.settings.mounted import DIRECTORY_VARIABLE, mounted_files, read_secret_file
from codetether_apps.settings.references import reference_in
from codetether_apps.settings.sections import Settings
from codetether_apps.settings.setting import PREFIX, Setting, rows

__all__ = ["CONFIG_VARIABLE", "read_settings", "table"]

CONFIG_VARIABLE: Final = f"{PREFIX}CONFIG"
"""Names the one file to read, in place of those in the usual places."""


class _Said(NamedTuple):
    """What somebody said about a setting: as a text or a TOML value, where, how it is to be read, in which variable."""

    raw: object
    origin: str
    kind: Kind[Any]
    variable: str = ""


@cache
def table() -> tuple[Setting, ...]:
    """Every setting."""
    return tuple(rows(Settings))


def read_settings(
    flags: Mapping[str, object] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    config: Path | None = None,
) -> Settings:
    """The settings; ``SettingsError`` names the one that is wrong.

    ``flags`` are by ``section.key``, without those that were not given. ``config`` is the one file to read.
    """
    environment = os.environ if environment is None else environment
    files = _files(environment, directory or Path.cwd(), config)
    mounted = mounted_files(environment)
    values: dict[str, dict[str, Any]] = {}
    origins: dict[str, str] = {}
    taken: set[str] = set()
    for row in table():
        said = next(_said(row, flags or {}, environment, mounted, files, taken), None)
        if said is not None:
            section, _, key = row.name.partition(".")
            values.setdefault(section, {})[key] = _read(row, said)
            origins[row.name] = said.origin
            taken.add(said.variable)
    sections = {section: _section(section)(**said) for section, said in values.items()}
    return Settings(**sections, agents=_agents(files), origins=origins)


def _files(environment: Mapping[str, str], directory: Path, config: Path | None) -> tuple[SettingsFile, ...]:
    named = config or (Path(environment[CONFIG_VARIABLE]) if environment.get(CONFIG_VARIABLE) else None)
    if named is not None:
        content = read_file(named, table())
        if content is None:
            raise SettingsError(f"{named} is not there", hint=f"name another file, or unset {CONFIG_VARIABLE}")
        return (content,)
    found = (read_file(path, table()) for path in config_files(directory))
    return tuple(content for content in found if content is not None)


def _said(
    row: Setting,
    flags: Mapping[str, object],
    environment: Mapping[str, str],
    mounted: Mapping[str, Path],
    files: tuple[SettingsFile, ...],
    taken: Set[str],
) -> Iterator[_Said]:
    """Everything that was said about a setting, what counts most first. An empty variable says nothing.

    The variables that are ``taken`` gave settings before it in the table.
    """
    names = {row.variable: row.kind, **row.aliases}
    names |= {name: row.kind for name, others in row.beside.items() if not taken.isdisjoint(others)}
    if row.name in flags:
        yield _Said(flags[row.name], f"flag {row.flag or _option(row)}", row.kind)
    for variable, kind in names.items():
        text, file = environment.get(variable), environment.get(f"{variable}_FILE") if row.secret else None
        if text and file:
            raise SettingsError(f"{variable} and {variable}_FILE are both set", hint="unset one of them")
        if text:
            yield _Said(text, f"environment {variable}", kind, variable)
        elif file:
            yield _Said(
                read_secret_file(Path(file), f"{variable}_FILE"), f"file {file} ({variable}_FILE)", kind, variable
            )
    for variable, kind in names.items():
        if (path := mounted.get(variable)) and (text := read_secret_file(path, DIRECTORY_VARIABLE)):
            yield _Said(text, f"file {path} ({DIRECTORY_VARIABLE})", kind, variable)
    for content in files:
        if row.name in content.values:
            yield _Said(content.values[row.name], f"file {content.path}", row.kind)


def _option(row: Setting) -> str:
    """What a command that takes the setting all the same calls it."""
    return f"--{row.name.rpartition('.')[2].replace('_', '-')}"


def _read(row: Setting, said: _Said) -> Any:
    try:
        return reference_in(row, said.kind, said.raw) or said.kind.read(said.raw)
    except ValueError as error:
        instead = "" if row.secret else f", not {said.raw!r}"
        raise SettingsError(f"{row.name} ({said.origin}) must be {error}{instead}", setting=row.name) from None


def _section(name: str) -> Callable[..., Any]:
    """The class of a section."""
    section = attrs.fields_dict(Settings)[name].type
    assert section is not None  # noqa: S101 - every field of Settings is annotated
    return section


def _agents(files: tuple[SettingsFile, ...]) -> dict[str, AgentTemplate]:
    agents: dict[str, AgentTemplate] = {}
    for content in reversed(files):
        agents |= read_agents(content.agents, str(content.path))
    return agents
