"""Terminal reports that are on disk before they are sent, and until the server has taken them.

A report is one file: written under a temporary name, synchronised, renamed, and the directory synchronised. So an
entry is whole or absent at every moment; if a disk breaks that promise the checksum shows it, and the file moves to
``quarantine/`` for people to look at. A whole temporary file, left by a crash between its two last steps, is an entry.

Calls block for as long as the disk takes: make them in a thread.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from attrs import frozen

from codetether_adapters.outbox.report import Report, decode, encode
from codetether_core.errors import Unavailable, Undecipherable
from codetether_core.services import Envelope

__all__ = ["Entry", "Outbox", "OutboxFull"]

_ENTRY, _UNFINISHED = ".json", ".tmp"
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class OutboxFull(Unavailable):
    """The disk has no room for the report, which is not kept."""

    code = "outbox_full"


@frozen
class Entry:
    """A report that waits, and the id to acknowledge it by. Ids sort in the order of ``put``."""

    id: str
    report: Report


class Outbox:
    """The outbox in ``directory``, which is made, for this user only, and belongs to one process at a time.

    Raises ``Unavailable`` if another process has it or the disk refuses, ``NotConfigured`` if it has reports that were
    encrypted under a key that the ``envelope`` lacks.
    """

    def __init__(self, directory: Path, envelope: Envelope | None = None) -> None:
        self._directory = directory
        self._envelope = envelope or Envelope.open_to_all()
        self._quarantine = directory / "quarantine"
        self._lock = Lock()
        with self._refusals():
            self._quarantine.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory.chmod(0o700)
            self._descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with self._refusals():
                self._take()
                self._last = max(
                    (_number(path) for path in (*directory.iterdir(), *self._quarantine.iterdir())), default=0
                )
                self._recover()
            self.pending()  # or a report whose key is missing would be told of long after the start
        except BaseException:
            os.close(self._descriptor)
            raise

    def put(self, report: Report) -> str:
        """Keep the report; its entry's id, once the disk has it. ``OutboxFull``, else ``Unavailable`` if not."""
        entry = encode(report).decode()
        with self._lock, self._refusals():
            self._last += 1
            id = f"{self._last:016d}"
            data = self._envelope.seal(entry, _context(id)).encode()
            unfinished = self._directory / (id + _UNFINISHED)
            try:
                _write(unfinished, data)
                unfinished.rename(self._directory / (id + _ENTRY))
                os.fsync(self._descriptor)
            except OSError:
                with suppress(OSError):
                    unfinished.unlink(missing_ok=True)
                raise
        return id

    def pending(self) -> list[Entry]:
        """What waits, oldest first."""
        entries = []
        with self._lock, self._refusals():
            for path in sorted(self._directory.glob(f"*{_ENTRY}")):
                report = self._read(path)
                if report is not None:
                    entries.append(Entry(path.stem, report))
        return entries

    def acknowledge(self, id: str) -> None:
        """Forget the entry: the server has it. Again, or for an id that is not there, does nothing."""
        if not id.isdecimal():
            return
        with self._lock, self._refusals():
            (self._directory / (id + _ENTRY)).unlink(missing_ok=True)
            os.fsync(self._descriptor)

    def quarantined(self) -> list[Path]:
        """The files that were no whole entries, for a warning at the start."""
        with self._refusals():
            return sorted(self._quarantine.iterdir())

    def close(self) -> None:
        """Let another process have the directory."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(
                f"Another worker uses the outbox {self._directory}", hint="give each worker a name of its own"
            ) from None

    def _recover(self) -> None:
        """Make entries of the temporary files that are whole; put the torn ones aside."""
        for path in sorted(self._directory.glob(f"*{_UNFINISHED}")):
            if self._read(path) is not None:
                _synchronise(path)  # its writer may have died before it did
                path.rename(path.with_suffix(_ENTRY))
        os.fsync(self._descriptor)

    def _read(self, path: Path) -> Report | None:
        try:
            return decode(self._envelope.open(path.read_text("utf-8"), _context(path.stem)).encode())
        except (ValueError, RecursionError, Undecipherable):
            path.rename(self._quarantine / path.name)
            return None

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """What the disk refuses, in our words."""
        try:
            yield
        except OSError as error:
            if error.errno in _NO_SPACE:
                raise OutboxFull(
                    f"No space to keep a report in {self._directory}", hint="free some space on that disk; then retry"
                ) from error
            raise Unavailable(
                f"The outbox {self._directory} cannot be used: {error.strerror}",
                hint="check the permissions and the disk of the worker's data directory",
            ) from error


def _context(id: str) -> str:
    return f"report {id}"


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        while data:
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _synchronise(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _number(path: Path) -> int:
    return int(path.stem) if path.stem.isdecimal() else 0
