"""The directory of drafts, which processes share and crashes litter."""

from __future__ import annotations

import fcntl
import os
import secrets
from itertools import count
from pathlib import Path
from typing import Final

from codetether_adapters.filesystem.draft import Draft

__all__ = ["Incoming"]

_LOCK: Final = ".lock"


class Incoming:
    """This process's drafts. Each process locks a file, and the system unlocks it however the process ends.

    So drafts whose lock is free belong to nobody and are swept when somebody opens the store.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._numbers = count()
        _sweep(directory)
        self._owner, self._descriptor = _register(directory)

    def draft(self) -> Draft:
        """A new one; nothing is on the disk until something is written."""
        return Draft(self._directory / f"{self._owner}.{next(self._numbers)}")

    def probe(self) -> None:
        """Write something, durably; ``OSError`` if that is impossible."""
        self._lock.stat()
        path = self._directory / f"{self._owner}.{next(self._numbers)}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, b"probe")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
            path.unlink()

    def check(self) -> None:
        """``OSError`` if the directory is not the one that was opened: its disk may be gone."""
        self._lock.stat()

    def close(self) -> None:
        """Remove what is left, and unlock."""
        try:
            _remove(self._directory, self._owner)
        finally:
            os.close(self._descriptor)

    @property
    def _lock(self) -> Path:
        return self._directory / f"{self._owner}{_LOCK}"


def _register(directory: Path) -> tuple[str, int]:
    """A name of our own, and the descriptor that holds its lock."""
    while True:
        owner = secrets.token_hex(8)
        descriptor = os.open(directory / f"{owner}{_LOCK}", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        if _locked(descriptor) and os.fstat(descriptor).st_nlink:
            return owner, descriptor
        os.close(descriptor)  # somebody swept it between these calls


def _sweep(directory: Path) -> None:
    for lock in directory.glob(f"*{_LOCK}"):
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            if _locked(descriptor):
                _remove(directory, lock.name.removesuffix(_LOCK))
        finally:
            os.close(descriptor)


def _remove(directory: Path, owner: str) -> None:
    """An owner's drafts, and its lock at last: so that who is interrupted here is followed up by the next one."""
    lock = directory / f"{owner}{_LOCK}"
    for draft in directory.glob(f"{owner}.*"):
        if draft != lock:
            draft.unlink(missing_ok=True)
    lock.unlink(missing_ok=True)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
