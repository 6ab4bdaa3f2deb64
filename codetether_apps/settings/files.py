"""``codetether.toml``: read, and refused where it has something that we do not know."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from codetether_apps.settings.errors import SettingsError
from codetether_apps.settings.setting import Setting

__all__ = ["SettingsFile", "read_file"]


@frozen
class SettingsFile:
    """What one file sets: plain values by ``section.key``, and its ``[agents]`` table."""

    path: Path
    values: Mapping[str, Any]
    agents: object


def read_file(path: Path, table: Iterable[Setting]) -> SettingsFile | None:
    """The file's content; ``None`` if it is not there."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}") from None
    agents = content.pop("agents", {})
    known = dict.fromkeys(row.name for row in table)  # in the order of the table
    sections = {name.partition(".")[0] for name in known}
    values: dict[str, Any] = {}
    for section, keys in content.items():
        if not isinstance(keys, dict):
            raise SettingsError(f"{path} has {section} outside of any table", hint=_hint(section, known, "write"))
        if section not in sections:
            raise SettingsError(f"{path} has an unknown table [{section}]", hint=_hint(section, {*sections, "agents"}))
        for key, value in keys.items():
            name = f"{section}.{key}"
            if name not in known:
                raise SettingsError(f"{path} has an unknown setting {name}", hint=_hint(name, known))
            values[name] = value
    return SettingsFile(path, values, agents)


def _nearest(name: str, known: Collection[str]) -> str | None:
    """The known name that was probably meant."""
    by_key = {each.rpartition(".")[2]: each for each in reversed([*known])}  # of two, the first in the table
    if (key := name.rpartition(".")[2]) in by_key:
        return by_key[key]
    found = difflib.get_close_matches(name, known, 1, 0.5) or difflib.get_close_matches(key, by_key, 1)
    return by_key.get(found[0], found[0]) if found else None


def _hint(name: str, known: Collection[str], verb: str = "did you mean") -> str:
    meant = _nearest(name, known)
    if meant is None:
        return f"there are {', '.join(sorted(known))}"
    if verb == "write":
        section, _, key = meant.partition(".")
        return f"write {key} under [{section}]"
    return f"{verb} {meant}?"
