"""A blob in the making."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from codetether_adapters.filesystem.durable import sync_directory
from codetether_core.artifacts import BlobId

__all__ = ["Draft"]


class Draft:
    """A file that gets its name when all of it is there.

    Calls block. One may still be under way in its thread when its caller was cancelled and discards the draft, hence
    the lock; after ``discard`` no call does anything.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sha = hashlib.sha256()
        self._lock = Lock()
        self._file: BinaryIO | None = None
        self._over = False

    def write(self, block: bytes) -> None:
        """Add bytes."""
        with self._lock:
            if not self._over:
                self._opened().write(block)
                self._sha.update(block)

    def keep(self, place: Callable[[BlobId], Path], moving: AbstractContextManager[None]) -> BlobId:
        """Give the file its place, over what may be there, and the present time; durable on return.

        ``place`` makes the directory; ``moving`` is entered while the file is on its way there.
        """
        with self._lock:
            id = BlobId(self._sha.hexdigest())
            if not self._over:
                file = self._opened()
                file.flush()
                os.utime(file.fileno())  # the last byte may have come long ago
                os.fsync(file.fileno())
                file.close()
                path = place(id)
                with moving:
                    self._path.replace(path)
                self._over = True
                sync_directory(path.parent)
            return id

    def discard(self) -> None:
        """Remove the file if it was not kept; what the disk refuses now is swept later."""
        with self._lock:
            over, self._over = self._over, True
            if self._file is not None and not over:
                with suppress(OSError):  # closing writes what is left, and a disk may be full
                    self._file.close()
                with suppress(OSError):
                    self._path.unlink(missing_ok=True)

    def _opened(self) -> BinaryIO:
        if self._file is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._file = os.fdopen(os.open(self._path, flags, 0o600), "wb")
        return self._file
