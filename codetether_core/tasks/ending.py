"""Verbs that end a run or a task: complete, fail, expire, cancel, and what may still be said afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import evolve

from codetether_core.errors import IllegalTransition, StaleLease
from codetether_core.tasks.holding import held_by, repeated
from codetether_core.tasks.lease import LeaseTerms, Word
from codetether_core.tasks.machine import TaskState, Trigger
from codetether_core.tasks.task import Task, parted, step

__all__ = ["cancel", "complete", "confirm_stop", "expire", "fail", "keep_evidence", "may_trail", "review"]


def complete(
    task: Task,
    word: Word,
    now: datetime,
    terms: LeaseTerms,
    *,
    result: str | None = None,
    reason: str | None = None,
) -> Task:
    """The holder's run succeeded; ``reason`` says in which way, if that is of interest.

    Said again by the same grant it changes nothing and returns the same value.
    """
    if repeated(task, word, Trigger.COMPLETE):
        return task
    return _ended(held_by(task, word, now, terms), Trigger.COMPLETE, now, result=result, reason=reason)


def fail(
    task: Task,
    word: Word,
    now: datetime,
    terms: LeaseTerms,
    *,
    error: str,
    reason: str = "agent_failed",
    retry_after: timedelta | None = None,
) -> Task:
    """The holder's run failed. With ``retry_after`` it is charged and put off for that long, while attempts are left.

    Said again by the same grant it changes nothing and returns the same value.
    """
    if repeated(task, word, Trigger.FAIL, Trigger.EXHAUST, Trigger.RETRY):
        return task
    held = held_by(task, word, now, terms)
    charged = held.charged + 1
    if retry_after is None or charged >= task.spec.max_attempts:
        trigger = Trigger.FAIL if retry_after is None else Trigger.EXHAUST
        return _ended(held, trigger, now, error=error, reason=reason, charged=charged)
    return step(
        held,
        Trigger.RETRY,
        now,
        **parted(held, Trigger.RETRY, now),
        charged=charged,
        not_before=now + retry_after,
        started_at=None,
        awaiting=(),
        answer_by=None,
        error=error,
        reason=reason,
    )


def expire(task: Task, now: datetime, *, reason: str, error: str) -> Task:
    """A deadline passed that ends the task: start-by, the run's, or a parked question's without a way to refuse."""
    return _ended(task, Trigger.EXPIRE, now, reason=reason, error=error)


def cancel(task: Task, now: datetime, *, by: str) -> Task:
    """Nobody wants it any more: ended at once, the grant burnt; ``stopped`` waits for its holder's word, if any."""
    return evolve(
        _ended(task, Trigger.CANCEL, now, reason="cancelled", error=f"Cancelled by {by}"),
        stopped=task.holder is None,
    )


def confirm_stop(task: Task, word: Word, now: datetime) -> Task:
    """The burnt holder of a cancelled task says that nothing of its run is left; said again it changes nothing."""
    if task.state is not TaskState.CANCELLED or task.grant is None:
        raise StaleLease(f"Nothing to stop; the task is {task.state}", state=task.state)
    task.grant.fence(word)
    if task.stopped:
        return task
    return evolve(task, stopped=True, version=task.version + 1, updated_at=now)


def may_trail(task: Task, word: Word, now: datetime, grace: timedelta) -> bool:
    """Whether the burnt holder of a cancelled task may still append output, marked as after the cancel."""
    if task.state is not TaskState.CANCELLED or task.stopped or task.grant is None or task.ended_at is None:
        return False
    task.grant.fence(word)
    return now < task.ended_at + grace


def keep_evidence(task: Task, token: str, evidence: str, now: datetime) -> Task:
    """Keep what a superseded grant reported too late on its attempt; the same value if we do not know the grant."""
    if not any(attempt.token == token and attempt.evidence is None for attempt in task.attempts):
        return task
    attempts = tuple(
        evolve(attempt, evidence=evidence) if attempt.token == token else attempt for attempt in task.attempts
    )
    return evolve(task, attempts=attempts, version=task.version + 1, updated_at=now)


def review(task: Task, now: datetime) -> Task:
    """Somebody has looked at the outcome; the same value when it was reviewed before."""
    if not task.ended:
        raise IllegalTransition("task", task.id, task.state, "review")
    if task.reviewed:
        return task
    return evolve(task, reviewed=True, version=task.version + 1, updated_at=now)


def _ended(
    task: Task,
    trigger: Trigger,
    now: datetime,
    *,
    result: str | None = None,
    error: str | None = None,
    reason: str | None = None,
    charged: int | None = None,
) -> Task:
    return step(
        task,
        trigger,
        now,
        **parted(task, trigger, now),
        ended_at=now,
        not_before=None,
        awaiting=(),
        answer_by=None,
        result=result,
        error=error,
        reason=reason,
        charged=task.charged if charged is None else charged,
    )
