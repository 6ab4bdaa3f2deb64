"""One run per checkout on this machine, whatever workers it has that share a data directory.

The lock is the kernel's (``flock``), on a file named after the checkout's real path: it ends with the last process
that holds the descriptor, so nothing is left to clean up after a crash. The file's text says who holds it; the file
itself stays, for unlinking it would let two holders in.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from codetether_core.errors import Conflict
from codetether_core.ids import TaskId

__all__ = ["CheckoutBusy", "CheckoutLock", "CheckoutLocks"]


class CheckoutBusy(Conflict):
    """Another run is in this checkout; ``holder`` is its task, empty where that is not known."""

    code = "checkout_busy"

    def __init__(self, checkout: str, holder: str, pid: int) -> None:
        run = f"Task {holder} (worker process {pid})" if holder else "Another run"
        super().__init__(
            f"{run} holds the checkout {checkout}",
            hint="wait for it, or cancel it; one run per checkout",
            checkout=checkout,
            holder=holder,
        )
        self.holder = holder


class CheckoutLock:
    """A checkout that is held until ``release``, and by every process that inherited ``fileno``."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        """The descriptor to hand to whoever must outlive this process's hold; not after ``release``."""
        if self._descriptor < 0:
            raise ValueError("the lock was released")
        return self._descriptor

    def release(self) -> None:
        """Let go, on this process's behalf; again does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class CheckoutLocks:
    """The locks of one data directory; made on the way, for this user only."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def hold(self, checkout: str | Path, task: TaskId) -> CheckoutLock:
        """Take the checkout for ``task``, without waiting; ``CheckoutBusy`` names who has it. Links are followed."""
        real = os.path.realpath(checkout)
        name = hashlib.sha256(os.fsencode(real)).hexdigest()[:32]
        descriptor = os.open(self._directory / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CheckoutBusy(real, *_holder(descriptor)) from None
            note = json.dumps({"task": task, "pid": os.getpid(), "checkout": real})
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, note.encode(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        return CheckoutLock(descriptor)


def _holder(descriptor: int) -> tuple[str, int]:
    try:
        note = json.loads(os.pread(descriptor, 64 * 1024, 0))
        return str(note["task"]), int(note["pid"])
    except (ValueError, KeyError, TypeError):  # the holder is about to write it
        return "", 0
