"""Filing a task's log away, once it is too old for the one log."""

from __future__ import annotations

from datetime import datetime

from attrs import evolve

from codetether_core.artifacts import LogSegment
from codetether_core.tasks.task import Task

__all__ = ["filed"]


def filed(task: Task, segment: LogSegment, now: datetime) -> Task:
    """The task with one more segment of its log; the same value unless this is the next one."""
    if segment.first != task.filed_to + 1:
        return task
    return evolve(task, log=(*task.log, segment), version=task.version + 1, updated_at=now)
