"""Verbs about questions: a holder asks, somebody answers, the run goes on."""

from __future__ import annotations

from datetime import datetime

from codetether_core.errors import IllegalTransition
from codetether_core.ids import ApprovalId
from codetether_core.tasks.holding import held_by
from codetether_core.tasks.lease import LeaseTerms, Word
from codetether_core.tasks.machine import Trigger
from codetether_core.tasks.task import Task, parted, step

__all__ = ["answer", "ask", "consult"]


def ask(
    task: Task,
    word: Word,
    now: datetime,
    terms: LeaseTerms,
    *,
    approval: ApprovalId,
    deadline: datetime,
    held: bool,
) -> Task:
    """The holder asks. ``held`` keeps its grant (it goes on renewing); otherwise the grant is burnt."""
    asking = held_by(task, word, now, terms)
    trigger = Trigger.ASK_HELD if held else Trigger.ASK_PARKED
    return step(
        asking,
        trigger,
        now,
        awaiting=(*asking.awaiting, approval),
        answer_by=min(deadline, asking.answer_by or deadline),
        reason="question",
        **({} if held else parted(asking, trigger, now)),
    )


def consult(task: Task, word: Word, now: datetime, terms: LeaseTerms) -> Task:
    """The holder asks and has its answer at once: it goes on as before."""
    return step(held_by(task, word, now, terms), Trigger.RENEW, now)


def answer(task: Task, approval: ApprovalId, now: datetime, *, next_deadline: datetime | None = None) -> Task:
    """One awaited answer is there. The last one lets a held run go on, and makes a parked task pending again.

    ``next_deadline`` is the earliest among the answers still awaited.
    """
    if approval not in task.awaiting:
        raise IllegalTransition("task", task.id, task.state, "answer")
    awaiting = tuple(id for id in task.awaiting if id != approval)
    if awaiting or task.lapsed:
        return step(task, Trigger.ANSWER_PARTLY, now, awaiting=awaiting, answer_by=next_deadline)
    trigger = Trigger.ANSWER_HELD if task.holder else Trigger.ANSWER_PARKED
    return step(task, trigger, now, awaiting=(), answer_by=None, reason=None)
