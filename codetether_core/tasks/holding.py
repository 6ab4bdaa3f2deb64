"""Verbs about who holds a task: claim, renew, lapse, release, requeue.

All are pure: the same values in give the same value out, ``now`` and the nonce included.
"""

from __future__ import annotations

from datetime import datetime

from attrs import evolve

from codetether_core.errors import IllegalTransition, StaleLease, TaskUnavailable
from codetether_core.ids import SessionId, WorkerId
from codetether_core.tasks.lease import Grant, LeaseTerms, Word
from codetether_core.tasks.machine import TaskState, Trigger
from codetether_core.tasks.task import Task, parted, recorded, step

__all__ = ["attend", "claim", "held_by", "lapse", "release", "renew", "repeated", "requeue", "wake"]


def claim(
    task: Task,
    *,
    worker: WorkerId,
    principal: str,
    now: datetime,
    terms: LeaseTerms,
    nonce: str,
    tokened: bool = True,
) -> Task:
    """Grant the task to ``worker``, past a lapsed grant too. ``TaskUnavailable`` names the state or ``not_before``."""
    if task.state is not TaskState.PENDING:
        raise TaskUnavailable(task.id, task.state)
    if task.not_before is not None and now < task.not_before:
        raise TaskUnavailable(task.id, "not_before")
    if task.spec.start_by is not None and task.spec.start_by <= now and task.grant is None:
        raise TaskUnavailable(task.id, "start_by")
    run_deadline = now + (task.spec.run_timeout or terms.run_timeout)
    grant = Grant(
        number=task.grant.number + 1 if task.grant else 1,
        nonce=nonce,
        worker=worker,
        principal=principal,
        tokened=tokened,
        granted_at=now,
        spoke_at=now,
        expires_at=min(now + terms.ttl, run_deadline),
        run_deadline=run_deadline,
    )
    return step(
        task,
        Trigger.CLAIM,
        now,
        grant=grant,
        started_at=now,
        not_before=None,
        reason=None,
        error=None,
        awaiting=(),
        answer_by=None,
    )


def held_by(task: Task, word: Word, now: datetime, terms: LeaseTerms) -> Task:
    """The task as its holder finds it: a lapsed one resumed, its charge refunded. ``StaleLease`` for anybody else.

    The version is left as it was: the verb that goes on from here raises it once.
    """
    return _resumed(task, _honoured(task, word), now, terms)


def renew(task: Task, word: Word, now: datetime, terms: LeaseTerms, *, session: SessionId | None = None) -> Task:
    """Extend the holder's lease; the very same value when its last word is less than a sixteenth of the ttl ago.

    A holder that shows its token once has to show it from then on, however it claimed.
    """
    holder = _honoured(task, word)
    tokened = holder.tokened or word.token is not None
    news = task.lapsed or tokened != holder.tokened or session not in (None, task.session)
    if not news and now - holder.spoke_at < terms.ttl / 16:
        return task
    grant = evolve(holder, spoke_at=now, expires_at=holder.extended(now, terms), tokened=tokened)
    return step(_resumed(task, holder, now, terms), Trigger.RENEW, now, grant=grant, session=session or task.session)


def attend(task: Task, worker: WorkerId, principal: str, now: datetime, terms: LeaseTerms) -> Task:
    """Renew a grant without a token because its worker is seen alive; the same value where that gains nothing.

    Presence carries a grant no further than ``terms.silence`` past the holder's last word about this task. It does
    carry it all the way to the run's deadline, however little that is: a lapse just before would start the run again.
    """
    holder = task.holder
    if holder is None or holder.tokened or (holder.worker, holder.principal) != (worker, principal) or task.lapsed:
        return task
    expires_at = min(holder.extended(now, terms), max(holder.spoke_at + terms.silence, holder.expires_at))
    gained = expires_at - holder.expires_at
    if not gained or (gained < terms.ttl / 16 and expires_at < holder.run_deadline):
        return task
    return step(task, Trigger.RENEW, now, grant=evolve(holder, expires_at=expires_at))


def lapse(task: Task, now: datetime) -> Task:
    """The holder fell silent past its expiry: pending again and an attempt charged, or failed if that was the last.

    The grant stays honoured until somebody else is granted, unless the attempts are exhausted.
    """
    holder = task.holder
    if holder is None:
        raise IllegalTransition("task", task.id, task.state, Trigger.LAPSE)
    charged = task.charged + 1
    if charged >= task.spec.max_attempts:
        return step(
            task,
            Trigger.EXHAUST,
            now,
            **parted(task, Trigger.LAPSE, now),
            charged=charged,
            ended_at=now,
            awaiting=(),
            answer_by=None,
            reason="worker_lost",
            error=f"The worker fell silent; attempt {charged} of {task.spec.max_attempts} was the last",
        )
    return step(
        task,
        Trigger.LAPSE,
        now,
        charged=charged,
        attempts=recorded(task, holder, Trigger.LAPSE, now),
        reason="worker_lost",
    )


def release(task: Task, word: Word, now: datetime, terms: LeaseTerms) -> Task:
    """The holder gives the task back; no attempt is charged and the grant is burnt. Said again it changes nothing."""
    if repeated(task, word, Trigger.RELEASE):
        return task
    held = held_by(task, word, now, terms)
    return _given_back(held, Trigger.RELEASE, now, "released")


def requeue(task: Task, now: datetime) -> Task:
    """Somebody in charge wants it offered now: a grant, a lapsed one too, is burnt; no attempt is charged.

    ``IllegalTransition`` for a task that is on offer already.
    """
    if task.ready and task.holder is None:
        raise IllegalTransition("task", task.id, task.state, Trigger.REQUEUE)
    return _given_back(task, Trigger.REQUEUE, now, "requeued")


def wake(task: Task, now: datetime) -> Task:
    """A task that was put off may be claimed from now on."""
    return step(task, Trigger.WAKE, now, not_before=None, reason=None)


def repeated(task: Task, word: Word, *endings: Trigger) -> bool:
    """Whether the last grant ended in one of these ways and the word, which is its holder's, says so again."""
    if task.grant is None or task.grant.burnt_at is None or not task.attempts:
        return False
    last = task.attempts[-1]
    if last.token != task.grant.token or last.ending not in endings:
        return False
    task.grant.fence(word)
    return True


def _honoured(task: Task, word: Word) -> Grant:
    """The grant that counts, if the word is its holder's; ``StaleLease`` for anybody else."""
    if task.grant is not None:
        task.grant.fence(word)
    if task.holder is None:
        raise StaleLease(f"No lease is in force; the task is {task.state}", state=task.state)
    return task.holder


def _resumed(task: Task, holder: Grant, now: datetime, terms: LeaseTerms) -> Task:
    """The task running (or asking) again if it had lapsed; the version stays as it was."""
    if not task.lapsed:
        return task
    resumed = step(
        task,
        Trigger.RESUME_ASKING if task.awaiting else Trigger.RESUME,
        now,
        grant=evolve(holder, spoke_at=now, expires_at=holder.extended(now, terms)),
        charged=task.charged - 1,
        attempts=task.attempts[:-1],
        reason="question" if task.awaiting else None,
    )
    return evolve(resumed, version=task.version)


def _given_back(task: Task, trigger: Trigger, now: datetime, reason: str) -> Task:
    return step(
        task,
        trigger,
        now,
        **parted(task, trigger, now),
        not_before=None,
        started_at=None,
        awaiting=(),
        answer_by=None,
        reason=reason,
    )
