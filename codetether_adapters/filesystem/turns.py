"""Whose turn it is: what is put may go to its place while others do, and while nobody deletes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Turns"]


class Turns:
    """A lock on a file (``flock``), at which threads meet, and all processes that share the directory. It blocks."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def moving(self) -> Iterator[None]:
        """Beside others that do the same."""
        with self._held(fcntl.LOCK_SH):
            yield

    @contextmanager
    def deleting(self) -> Iterator[None]:
        """Alone."""
        with self._held(fcntl.LOCK_EX):
            yield

    @contextmanager
    def _held(self, how: int) -> Iterator[None]:
        """By a descriptor of its own: the lock is the descriptor's, and threads share none."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)
