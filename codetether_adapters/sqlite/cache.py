"""Decoded tasks. The file belongs to this process, so what the writer committed last is what there is."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from codetether_core.ids import TaskId
from codetether_core.tasks import Task

__all__ = ["TaskCache"]

_BYTES: Final = 32 * 1024 * 1024
_TASK_BYTES: Final = 4096
"""What a decoded task takes besides its texts."""


class TaskCache:
    """The tasks used last, bounded by the bytes of their JSON."""

    def __init__(self, limit: int = _BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._tasks: OrderedDict[TaskId, tuple[Task, int]] = OrderedDict()

    def get(self, id: TaskId) -> Task | None:
        """The task as it was committed last, if it is here."""
        kept = self._tasks.get(id)
        if kept is None:
            return None
        self._tasks.move_to_end(id)
        return kept[0]

    def drop(self, id: TaskId) -> None:
        """The task is gone."""
        if kept := self._tasks.pop(id, None):
            self._size -= kept[1]

    def put(self, task: Task, size: int) -> None:
        """Keep it, unless a later version is here: a reader may see a commit before its publication."""
        kept = self._tasks.get(task.id)
        if kept is not None:
            if kept[0].version >= task.version:
                return
            self._size -= kept[1]
        size += _TASK_BYTES
        self._tasks[task.id] = task, size
        self._tasks.move_to_end(task.id)
        self._size += size
        while self._size > self._limit:
            _, (_, size) = self._tasks.popitem(last=False)
            self._size -= size
