"""Codebases in a setting: ``NAME:PATH`` or ``PATH``, whose last part is the name then."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import frozen

from codetether_apps.settings.kinds import items

__all__ = ["CODEBASES", "GivenCodebase"]


@frozen
class GivenCodebase:
    """A directory that a worker serves, and what it is called."""

    name: str
    path: Path


def _codebase(text: str) -> GivenCodebase:
    name, colon, path = text.partition(":")
    if not colon or "/" in name:
        name, path = "", text
    if not path or (colon and not name and not path.startswith(("/", "~", "."))):
        raise ValueError("NAME:PATH or PATH")
    absolute = Path(path).expanduser().resolve()
    return GivenCodebase(name or absolute.name or "root", absolute)


CODEBASES: Final = items("NAME:PATH list", _codebase, lambda codebase: f"{codebase.name}:{codebase.path}")
