"""One run per checkout on this machine, whatever workers and data directories it has.

The lock is the kernel's (``flock``): it ends with the last process that holds the descriptor, so nothing is left to
clean up after a crash. It lies where every worker meets it: on ``codetether.lock`` in the checkout's git directory,
which git never tracks and every worktree has for itself; where there is no git directory, or none that this user
may write to, on the directory itself. The file's text says who holds it; the file itself stays, for unlinking it
would let two holders in.

A directory within a checkout belongs to it, as git sees it: runs in two parts of one checkout exclude each other. A
checkout within another (a submodule, a clone) has a git directory and so a lock of its own; an agent in the outer
one that reaches into the inner one is not kept out. Directories without git know nothing of those within them.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from codetether_core.errors import Conflict, Unavailable
from codetether_core.ids import TaskId

__all__ = ["LOCK_NAME", "CheckoutBusy", "CheckoutLock", "CheckoutNotLocked", "hold_checkout"]

LOCK_NAME: Final = "codetether.lock"

_OPEN: Final = os.O_CLOEXEC | os.O_NONBLOCK
_UNWRITABLE: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


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


class CheckoutNotLocked(Unavailable):
    """The system refuses the lock, so that nobody knows who else is there."""

    code = "checkout_not_locked"


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


def hold_checkout(directory: str | Path, task: TaskId) -> CheckoutLock:
    """Take the checkout that the directory is, or is part of, for ``task``, without waiting. Links are followed.

    ``CheckoutBusy`` names who has it; ``CheckoutNotLocked`` if it cannot be locked.
    """
    real = Path(os.path.realpath(directory))
    try:
        descriptor, noted = _opened(real)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if noted:
                _note(descriptor, {"task": task, "pid": os.getpid(), "directory": str(real)})
        except BlockingIOError:
            holder = _holder(descriptor) if noted else ("", 0)
            os.close(descriptor)
            raise CheckoutBusy(str(real), *holder) from None
        except BaseException:
            os.close(descriptor)
            raise
    except OSError as error:
        raise CheckoutNotLocked(
            f"The checkout {real} cannot be locked: {error.strerror}",
            hint="its file system must know locks (flock); a network file system may need a git checkout for it",
        ) from error
    return CheckoutLock(descriptor)


def _opened(directory: Path) -> tuple[int, bool]:
    """What to lock, opened; and whether the holder's name can be noted there."""
    for place in (directory, *directory.parents):
        if (found := _git_directory(place)) is not None:
            return _opened_in(found, place)
    return os.open(directory, os.O_RDONLY | os.O_DIRECTORY | _OPEN), False


def _opened_in(git: Path, checkout: Path) -> tuple[int, bool]:
    try:  # with the mode that git gives its own files, for who shares the checkout shares the lock
        return os.open(git / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | _OPEN, 0o666), True
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
    return os.open(checkout, os.O_RDONLY | os.O_DIRECTORY | _OPEN), False


def _git_directory(place: Path) -> Path | None:
    """The git directory of the checkout whose top ``place`` is: a worktree's and a submodule's is elsewhere."""
    git = place / ".git"
    try:
        if git.is_file():
            kind, _, path = git.read_text(encoding="utf-8", errors="surrogateescape").strip().partition(": ")
            if kind != "gitdir":
                return None
            git = place / path
        return git.resolve() if (git / "HEAD").is_file() else None
    except OSError:
        return None


def _note(descriptor: int, holder: Mapping[str, str | int]) -> None:
    """Say who holds the lock; a full disk does not make it less held."""
    os.ftruncate(descriptor, 0)
    with suppress(OSError):
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)


def _holder(descriptor: int) -> tuple[str, int]:
    try:
        note = json.loads(os.pread(descriptor, 64 * 1024, 0))
        return str(note["task"]), int(note["pid"])
    except (OSError, ValueError, KeyError, TypeError):  # the holder is about to write it
        return "", 0
