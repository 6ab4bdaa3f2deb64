"""The platform's places for our files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["FILE_NAME", "config_files", "data_directory", "home_directories"]

FILE_NAME: Final = "codetether.toml"


def data_directory() -> Path:
    """Where this user's programs keep their data."""
    import platformdirs  # late: only who needs the default pays for it

    return platformdirs.user_data_path("codetether", appauthor=False)


def home_directories() -> tuple[Path, ...]:
    """This user's home; none for a user without one."""
    try:
        return (Path.home(),)
    except RuntimeError:
        return ()


def config_files(directory: Path) -> tuple[Path, ...]:
    """Where settings may be written down, the nearest first."""
    import platformdirs

    return directory / FILE_NAME, platformdirs.user_config_path("codetether", appauthor=False) / FILE_NAME
