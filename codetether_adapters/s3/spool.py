"""A blob on its way: in memory while it is small, else in a temporary file that has no name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from tempfile import SpooledTemporaryFile
from threading import Lock
from typing import BinaryIO, Final, cast

from codetether_core.artifacts import BlobId

__all__ = ["Spool"]

_IN_MEMORY: Final = 1024 * 1024


class Spool:
    """Calls block; one may be under way when its caller was cancelled and closes, hence the lock."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile[bytes](max_size=_IN_MEMORY)
        self._sha = hashlib.sha256()
        self._size = 0
        self._lock = Lock()

    def write(self, block: bytes) -> None:
        """Add bytes."""
        with self._lock:
            if not self._file.closed:
                self._file.write(block)
                self._sha.update(block)
                self._size += len(block)

    def send(self, upload: Callable[[BlobId, BinaryIO, int], None]) -> BlobId:
        """Have all of it uploaded; ``upload`` takes the address, a file at its beginning, and how much is in it."""
        with self._lock:
            id = BlobId(self._sha.hexdigest())
            if not self._file.closed:
                self._file.seek(0)
                upload(id, cast("BinaryIO", self._file), self._size)
            return id

    def close(self) -> None:
        """Forget it."""
        with self._lock, suppress(OSError):  # closing writes what is left, and a disk may be full
            self._file.close()
