"""Where runs take place: a codebase's checkout, one run at a time, or a directory of the run's own."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from attrs import define, field

from codetether_adapters.system import CheckoutLock, hold_checkout
from codetether_apps.working.folders import folder
from codetether_core.ids import TaskId
from codetether_core.ports import Run

__all__ = ["Checkouts"]


@define(eq=False)
class Checkouts:
    """The places of this worker's runs; ``scratch`` is where runs without a codebase get theirs."""

    scratch: Path
    _held: dict[TaskId, CheckoutLock] = field(factory=dict, init=False)

    def enter(self, task: TaskId, checkout: Path) -> None:
        """Hold a checkout for a task; ``CheckoutBusy`` if another run is there, ``CheckoutNotLocked``."""
        self._held[task] = hold_checkout(checkout, task)

    def improvise(self, task: TaskId) -> Path:
        """An empty directory for a task."""
        place = self.scratch / folder(task)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        return place

    def leave(self, task: TaskId) -> None:
        """Whatever the task had is free again. Processes that outlive the run hold on to its checkout."""
        if task in self._held:
            self._held.pop(task).release()
        shutil.rmtree(self.scratch / folder(task), ignore_errors=True)

    def descriptors(self, run: Run) -> Sequence[int]:
        """What the run's supervisor has to keep open: the lock of its checkout."""
        lock = self._held.get(run.task)
        return () if lock is None else (lock.fileno(),)
