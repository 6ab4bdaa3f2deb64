"""Directories and renames that a power cut does not undo."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["DurableDirectories", "sync_directory"]

_REMEMBERED: Final = 10_000


class DurableDirectories:
    """Makes directories, for this user only, whose entries in their parents are on the disk.

    That a directory exists does not say that its entry would survive: another thread may have made it just now. So
    each is synchronised once by everybody who needs it, and then remembered.
    """

    def __init__(self) -> None:
        self._known: set[Path] = set()

    def make(self, directory: Path, root: Path) -> None:
        """Make the directory and those between it and ``root``, which exists."""
        if directory == root or (directory in self._known and directory.is_dir()):
            return
        self.make(directory.parent, root)
        directory.mkdir(mode=0o700, exist_ok=True)
        sync_directory(directory.parent)
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known.add(directory)


def sync_directory(directory: Path) -> None:
    """Return once the directory's entries are on the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
