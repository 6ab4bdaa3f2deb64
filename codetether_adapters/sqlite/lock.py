"""One process per file: a lock that the operating system releases however the process ends."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from codetether_core.errors import Unavailable

__all__ = ["owned", "require_room"]


@contextmanager
def owned(path: Path) -> Iterator[None]:
    """Make the database file ours: its directory exists, the file is readable by this user only, nobody else has it."""
    lock = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(
                f"{path} is in use by another CodeTether process",
                hint="stop that process, or talk to its server (codetether backup --online, for instance)",
                path=str(path),
            ) from None
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise _unwritable(path, error) from error
        yield
    finally:
        os.close(descriptor)


def require_room(path: Path) -> None:
    """``Unavailable`` unless a file that is not there could be made; nothing is."""
    place = next(place for place in path.parents if place.exists())
    if not place.is_dir():
        raise _unwritable(path, NotADirectoryError())
    if not os.access(place, os.W_OK):
        raise _unwritable(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def _unwritable(path: Path, error: OSError) -> Unavailable:
    if isinstance(error, FileExistsError | NotADirectoryError):
        file = next(place for place in path.parents if place.exists())
        return Unavailable(
            f"{file} is no directory, so {path} cannot be in it",
            hint="name another data directory, or move that file away",
            path=str(path),
        )
    return Unavailable(
        f"{path} cannot be opened for writing: {error.strerror}",
        hint="make the directory writable for this user, or name another data directory",
        path=str(path),
    )
