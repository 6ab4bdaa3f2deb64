"""Settings as files of one directory, each called like its variable: so Kubernetes mounts a Secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from codetether_apps.settings.errors import SettingsError
from codetether_apps.settings.setting import PREFIX

__all__ = ["DIRECTORY_VARIABLE", "mounted_files", "read_secret_file"]

DIRECTORY_VARIABLE: Final = f"{PREFIX}SECRETS_DIR"
"""Names the directory."""


def mounted_files(environment: Mapping[str, str]) -> Mapping[str, Path]:
    """Its files by name; none where no directory is named. ``SettingsError`` if it cannot be looked into."""
    named = environment.get(DIRECTORY_VARIABLE)
    if not named:
        return {}
    try:
        return {path.name: path for path in sorted(Path(named).iterdir()) if path.is_file()}
    except OSError as error:
        raise SettingsError(
            f"{DIRECTORY_VARIABLE} names {named}, which cannot be looked into: {error.strerror}",
            hint="mount it, or unset the variable",
        ) from None


def read_secret_file(path: Path, whence: str) -> str:
    """What is in the file, without the line's end; ``whence`` names it in a ``SettingsError``."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{whence} names {path}, which cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{whence} names {path}, which is not text") from None
