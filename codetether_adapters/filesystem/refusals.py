"""The operating system's errors in our words."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from codetether_core.errors import Unavailable

__all__ = ["translated"]

_WRITABLE: Final = "make the directory writable for this user, or name another one"
_ROOM: Final = "free some space; nothing that was accepted is lost"
_A_DIRECTORY: Final = "name a directory, or move away the file that is in its place"
_HINTS: Final = {
    errno.EACCES: _WRITABLE,
    errno.EPERM: _WRITABLE,
    errno.EROFS: _WRITABLE,
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: _ROOM,
    errno.ENOTDIR: _A_DIRECTORY,
    errno.EEXIST: _A_DIRECTORY,
    errno.ENOENT: "look whether the directory's disk is mounted, and start again",
    errno.EMFILE: "raise this process's limit of open files",
    errno.ENFILE: "raise the machine's limit of open files",
}


@contextmanager
def translated(root: Path) -> Iterator[None]:
    """Raise ``Unavailable`` for what the operating system refuses inside."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"The blobs in {root} cannot be reached: {error.strerror or error}",
            hint=_HINTS.get(error.errno or 0, "look at the disk; nothing that was accepted is lost"),
            path=str(root),
        ) from error
