"""A git checkout to work in: the one around us, or one made for the occasion."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

__all__ = ["find_or_make"]

_PACKAGES = Path(__file__).parents[2]


def find_or_make(place: Path) -> Path:
    """The checkout that this program is run from, else a new one in ``place`` with this program's own source."""
    for directory in (Path.cwd(), _PACKAGES):
        found = _git(directory, "rev-parse", "--show-toplevel")
        if found is not None and _git(directory, "log", "-1") is not None:
            return Path(found)
    shutil.copytree(
        _PACKAGES / "codetether_core", place / "codetether_core", ignore=shutil.ignore_patterns("__pycache__")
    )
    _git(place, "init", "--quiet")
    _git(place, "add", ".")
    name = ("-c", "user.name=CodeTether", "-c", "user.email=demo@localhost")
    _git(place, *name, "commit", "--quiet", "--message", "Add the domain")
    return place


def _git(directory: Path, *arguments: str) -> str | None:
    """What git says; ``None`` if it refuses."""
    done = subprocess.run(["git", *arguments], cwd=directory, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None
