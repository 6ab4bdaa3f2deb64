"""The data directory, made when it is needed; why it cannot be used, and what to do."""

from __future__ import annotations

from pathlib import Path

from codetether_core.errors import Unavailable

__all__ = ["make_directory", "unwritable"]


def make_directory(path: Path) -> None:
    """Make a directory in it, for this user only; ``Unavailable`` if that cannot be."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> Unavailable:
    """The complaint about something in it."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        file = next(place for place in (path, *path.parents) if place.exists())
        return Unavailable(
            f"{file} is no directory, so {path} cannot be there",
            hint="name another with CODETETHER_DATA_DIR, or move that file away",
        )
    return Unavailable(
        f"{path} cannot be written: {error.strerror}",
        hint="make the directory writable for this user, or name another with CODETETHER_DATA_DIR",
    )
