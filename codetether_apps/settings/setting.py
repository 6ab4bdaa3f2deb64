"""One setting: a field of a section with what is to be known about it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import attrs
from attrs import frozen

from codetether_apps.settings.kinds import Kind

__all__ = ["PREFIX", "Setting", "rows", "setting"]

PREFIX: Final = "CODETETHER_"
_ROW: Final = "codetether_setting"


@frozen(kw_only=True)
class Setting:
    """A row of the table. ``name`` is ``section.key``, as TOML has it; ``shown`` is the default in words.

    ``aliases`` are the deployed system's names of the environment variable, each with how it is read. A name that is
    ``beside`` means this only where one of those others gave the setting that it is usually an alias of.
    A secret has a kind that does not show it, has no flag, and can be in a file that ``<variable>_FILE`` names.
    """

    name: str
    kind: Kind[Any]
    shown: str
    help: str
    variable: str
    aliases: Mapping[str, Kind[Any]]
    beside: Mapping[str, Collection[str]]
    flag: str | None
    secret: bool


def setting(
    default: Any,
    kind: Kind[Any],
    help: str,
    *,
    env: str | None = None,
    aliases: tuple[str, ...] | Mapping[str, Kind[Any]] = (),
    beside: Mapping[str, Collection[str]] = MappingProxyType({}),
    flag: str | None = None,
    shown: str | None = None,
    secret: bool = False,
) -> Any:
    """A field of a section. ``env`` is the variable's name after the prefix where it is not ``SECTION_KEY``."""
    row = {
        "kind": kind,
        "help": help,
        "env": env,
        "aliases": dict(aliases) if isinstance(aliases, Mapping) else dict.fromkeys(aliases, kind),
        "beside": beside,
        "flag": flag,
        "shown": kind.show(default) if shown is None else shown,
        "secret": secret,
    }
    return attrs.field(default=default, repr=not secret, metadata={_ROW: row})


def rows(sections: type) -> Iterator[Setting]:
    """The table: every setting of every section of the class, in order."""
    for section in attrs.fields(attrs.resolve_types(sections)):
        if isinstance(section.type, type) and attrs.has(section.type):
            for key in attrs.fields(section.type):
                row = dict(key.metadata[_ROW])
                env = row.pop("env") or f"{section.name}_{key.name}".upper()
                yield Setting(name=f"{section.name}.{key.name}", variable=PREFIX + env, **row)
