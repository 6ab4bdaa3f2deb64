"""A watcher in the middle of a long story."""

from __future__ import annotations

import threading
from typing import Final

from codetether_adapters.client import Client, Patience, TaskEvent
from codetether_core.ids import TaskId
from tests.e2e.cluster import TOKEN
from tests.e2e.line import Line

__all__ = ["Watcher"]

_SOME: Final = 48 * 1024
_LASTING: Final = Patience(attempts=60, total=120.0)


class Watcher:
    """Follows a task from its beginning in a thread of its own, over a line that soon brings nothing any more."""

    def __init__(self, port: int, id: TaskId) -> None:
        self.id = id
        self.line = Line(port, limit=_SOME)
        self.events: list[TaskEvent] = []
        self._problem: Exception | None = None
        self._client = Client(self.line.url, token=TOKEN, patience=_LASTING)
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    @property
    def reached(self) -> int:
        """The number of the last event that it was told."""
        return max((event.data.get("sequence", 0) for event in self.events), default=0)

    @property
    def stands_still(self) -> bool:
        """Whether it has got as far as it can over its line."""
        return self.line.cut.is_set() and self.reached > 0

    def resume(self, port: int) -> None:
        """Let it go on; when it is cut off, at this port."""
        self.line.port = port
        self.line.heal()

    def end(self) -> None:
        """Wait until it has seen the task's end; raise what it was refused with."""
        self._thread.join(120)
        if self._problem is not None:
            raise self._problem
        assert not self._thread.is_alive(), f"the watcher waits after event {self.reached}"

    def close(self) -> None:
        """Hang up, whatever became of it: nothing of a test that failed goes on beside the next ones."""
        self.line.close()
        self._client.close()
        self._thread.join(10)

    def _follow(self) -> None:
        try:
            for event in self._client.tasks.handle(self.id).events():
                self.events.append(event)
        except Exception as error:
            self._problem = error
