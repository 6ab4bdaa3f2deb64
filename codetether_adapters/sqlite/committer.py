"""Committing: the one step that waits for the disk, in a thread, so that a slow disk does not stop the event loop.

A thread that is done must get the interpreter's lock back to say so, and a busy event loop makes it wait for that far
longer than a disk needs. So the loop holds still for a moment: a good disk answers within it, and only the answer of a
slow one comes later, as a callback.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Final

__all__ = ["Committer", "scrubbed"]

_PATIENCE: Final = 0.001
"""Seconds for which the loop holds still."""


def scrubbed(connection: sqlite3.Connection) -> bool:
    """Empty the file's log of what was before; whether that was done, which a reader or a full disk may be in the way
    of for a while.
    """
    try:
        ((busy, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error:
        return False
    return not busy


class Committer:
    """Commits one transaction at a time, on the event loop's behalf."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._requests: SimpleQueue[bool] = SimpleQueue()
        self._answers: SimpleQueue[sqlite3.Error | None] = SimpleQueue()
        self._lock = Lock()
        self._late: Callable[[], None] | None = None
        self._scrubs = False
        self._thread = Thread(target=self._run, name="sqlite-committer", daemon=True)
        self._thread.start()

    def commit(self, finish: Callable[[sqlite3.Error | None], None], *, scrub: bool = False) -> None:
        """Commit, and call ``finish`` with what went wrong: before this returns, or later from the loop.

        ``scrub``: leave nothing of what was before in the file's log either, now or, if somebody reads, soon.
        """
        self._scrubs = self._scrubs or scrub
        self._requests.put(True)
        try:
            failure = self._answers.get(timeout=_PATIENCE)
        except Empty:
            with self._lock:
                if self._answers.empty():
                    self._late = lambda: finish(self._answers.get())
                    return
            failure = self._answers.get()
        finish(failure)

    async def close(self) -> None:
        """End the thread; nothing may be under way."""
        self._requests.put(False)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while self._requests.get():
            failure = None
            try:
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                failure = error
            if self._scrubs and failure is None:
                self._scrubs = not scrubbed(self._connection)
            with self._lock:
                self._answers.put(failure)
                late, self._late = self._late, None
            if late is not None:
                self._loop.call_soon_threadsafe(late)
