"""A blob that is being read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from codetether_core.artifacts import CHUNK

__all__ = ["Reading"]


class Reading:
    """Chunks of a file. Calls block; one may be under way when its caller was cancelled and closes, hence the lock."""

    def __init__(self, path: Path, start: int, length: int | None) -> None:
        self._path = path
        self._start = start
        self._left = length
        self._lock = Lock()
        self._file: BinaryIO | None = None
        self._closed = False

    def open(self) -> None:
        """Find the file; ``FileNotFoundError``."""
        with self._lock:
            if not self._closed:
                self._file = self._path.open("rb", buffering=0)
                self._file.seek(self._start)

    def __iter__(self) -> Iterator[bytes]:
        """What is left, in chunks."""
        return iter(self._read, b"")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._closed = True
            if self._file is not None:
                self._file.close()

    def _read(self) -> bytes:
        with self._lock:
            if self._file is None or self._closed:
                return b""
            chunk = self._file.read(CHUNK if self._left is None else min(CHUNK, self._left))
            if self._left is not None:
                self._left -= len(chunk)
            return chunk
