"""A holder gives its task to another agent, and notes it, so that whoever holds the task next goes on with that one."""

from __future__ import annotations

from datetime import datetime

from attrs import evolve

from codetether_core.tasks.delegation import Delegation
from codetether_core.tasks.holding import held_by
from codetether_core.tasks.lease import LeaseTerms, Word
from codetether_core.tasks.task import Task

__all__ = ["delegate"]


def delegate(task: Task, word: Word, delegation: Delegation, now: datetime, terms: LeaseTerms) -> Task:
    """The holder notes who has been given the task, in place of what was noted before; the same again is no change."""
    held = held_by(task, word, now, terms)
    if held is task and task.delegation == delegation:
        return task
    return evolve(held, delegation=delegation, version=task.version + 1, updated_at=now)
