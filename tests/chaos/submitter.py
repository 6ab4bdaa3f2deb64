"""A client that goes on submitting, whatever becomes of the servers."""

from __future__ import annotations

import threading
from typing import Final

from codetether_adapters.client import Client, NewTask, Patience
from codetether_core.ids import TaskId
from tests.e2e.cluster import TOKEN

__all__ = ["Submitter"]

_LASTING: Final = Patience(attempts=60, total=120.0)
_PAUSE: Final = 0.3


class Submitter:
    """``accepted`` has what was answered. Each task is submitted until it is, under one key."""

    def __init__(self, url: str) -> None:
        self.accepted: list[TaskId] = []
        self._ended = threading.Event()
        self._problem: Exception | None = None
        self._thread = threading.Thread(target=self._submit, args=(url,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Submit no more; return once the last one is accepted."""
        self._ended.set()
        self._thread.join(120)
        if self._problem is not None:
            raise self._problem
        assert not self._thread.is_alive(), f"the submitter waits after {len(self.accepted)} tasks"

    def close(self) -> None:
        """Submit no more, whatever became of it: nothing of a test that failed goes on beside the next ones."""
        self._ended.set()
        self._thread.join(10)

    def _submit(self, url: str) -> None:
        try:
            with Client(url, token=TOKEN, patience=_LASTING) as client:
                while not self._ended.wait(_PAUSE):
                    new = NewTask(f"{len(self.accepted)} at {url}", agent="echo")
                    self.accepted.append(client.tasks.submit(new).id)
        except Exception as error:
            self._problem = error
