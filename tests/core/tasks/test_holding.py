"""Who holds a task: claims, renewals, lapses and what is given back."""

from datetime import datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from codetether_core.errors import IllegalTransition, LeaseRequired, StaleLease, TaskUnavailable
from codetether_core.ids import SessionId
from codetether_core.tasks import (
    LeaseTerms,
    Task,
    TaskState,
    Trigger,
    attend,
    complete,
    held_by,
    lapse,
    release,
    renew,
    requeue,
    wake,
)
from tests.core.tasks.lives import (
    ANN,
    BOB,
    HELD,
    HOUR,
    NOW,
    RUNNING,
    SECOND,
    STANDINGS,
    TERMS,
    TICK,
    asked,
    claimed,
    failed,
    grant_of,
    held_tasks,
    new,
    tasks,
    word,
)

LATER = NOW + 30 * SECOND
SLIVER = TERMS.ttl / 16


def renewed(task: Task, now: datetime = LATER, terms: LeaseTerms = TERMS) -> Task:
    return renew(task, word(task), now, terms)


def attended(task: Task, now: datetime) -> Task:
    return attend(task, ANN, f"principal of {ANN}", now, TERMS)


# ------------------------------------------------------------------------------------------------ claim


def test_a_claim_starts_a_run_with_a_lease_and_a_deadline() -> None:
    task = claimed(new(), now=LATER)
    grant = grant_of(task)
    assert (task.state, task.version, task.started_at, task.holder) == (TaskState.RUNNING, 2, LATER, grant)
    assert (grant.number, grant.token, grant.worker) == (1, "1.nonce1", ANN)
    assert (grant.granted_at, grant.spoke_at) == (LATER, LATER)
    assert (grant.expires_at, grant.run_deadline) == (LATER + TERMS.ttl, LATER + TERMS.run_timeout)


def test_a_task_may_set_its_own_run_deadline_and_no_lease_outlasts_it() -> None:
    grant = grant_of(claimed(new(run_timeout=SECOND)))
    assert grant.run_deadline == grant.expires_at == NOW + SECOND


@given(tasks())
def test_a_claim_mints_a_number_above_all_before_it_or_changes_nothing(task: Task) -> None:
    """The number is what orders grants, so it must rise through lapses, retries, questions and requeues alike."""
    late = task.spec.start_by is not None and task.spec.start_by <= NOW + 24 * HOUR and task.grant is None
    if task.state is TaskState.PENDING and late:
        with pytest.raises(TaskUnavailable) as refused:
            claimed(task, now=NOW + 24 * HOUR)
        assert refused.value.reason == "start_by"
    elif task.state is TaskState.PENDING:
        again = claimed(task, now=NOW + 24 * HOUR)
        assert grant_of(again).number == (task.grant.number if task.grant else 0) + 1
        assert (again.awaiting, again.answer_by, again.reason, again.error) == ((), None, None, None)
        assert again.charged == task.charged
    else:
        with pytest.raises(TaskUnavailable) as refused:
            claimed(task, now=NOW + 24 * HOUR)
        assert refused.value.reason == task.state


@pytest.mark.parametrize(("early", "open_"), [(TICK, False), (0 * TICK, True), (-TICK, True)])
def test_a_task_that_was_put_off_opens_at_its_moment_exactly(early: timedelta, open_: bool) -> None:
    """Half-open to the microsecond, and without waiting for whoever wakes sleepers."""
    task = failed(RUNNING, retry_after=HOUR)
    if open_:
        assert claimed(task, now=NOW + HOUR - early).not_before is None
    else:
        with pytest.raises(TaskUnavailable) as refused:
            claimed(task, now=NOW + HOUR - early)
        assert refused.value.reason == "not_before"


# ------------------------------------------------------------------------------------ who is honoured


@given(held_tasks(), st.booleans())
def test_only_the_latest_grant_is_honoured(task: Task, tokened: bool) -> None:
    """Delivery is at least once, so two may run; the one who was granted last may speak, the other never again."""
    old = word(task)
    requeued = lapse(task, LATER) if not task.lapsed else task
    taken = claimed(requeued, BOB, LATER, tokened=tokened)
    assert held_by(taken, word(taken), LATER, TERMS) is taken
    with pytest.raises((StaleLease, LeaseRequired)):
        held_by(taken, old, LATER, TERMS)


def test_a_restarted_worker_of_the_same_name_supersedes_itself() -> None:
    taken = claimed(lapse(RUNNING, LATER), ANN, LATER)
    with pytest.raises(StaleLease):
        held_by(taken, word(RUNNING), LATER, TERMS)


@given(held_tasks())
def test_a_lapsed_holder_is_back_as_if_it_had_never_been_silent(task: Task) -> None:
    """A long run that missed a beat is not thrown away, and not charged, while nobody else was granted."""
    silent = lapse(task, LATER) if not task.lapsed else task
    back = held_by(silent, word(silent), NOW + HOUR / 2, TERMS)
    assert (back.charged, back.attempts) == (silent.charged - 1, silent.attempts[:-1])
    assert back.state is (TaskState.INPUT_REQUIRED if silent.awaiting else TaskState.RUNNING)
    assert back.reason == ("question" if silent.awaiting else None)
    assert (back.awaiting, back.answer_by) == (silent.awaiting, silent.answer_by)
    assert grant_of(back).expires_at == NOW + HOUR / 2 + TERMS.ttl
    assert back.version == silent.version


def test_a_late_answer_is_honoured_until_somebody_else_is_granted() -> None:
    silent = lapse(RUNNING, LATER)
    done = complete(silent, word(RUNNING), LATER, TERMS, result="late, but here")
    assert (done.state, done.result, done.charged) == (TaskState.COMPLETED, "late, but here", 0)
    with pytest.raises(StaleLease):
        complete(claimed(silent, BOB), word(RUNNING), LATER, TERMS)


BURNT = ["released", "put off", "asking, parked", "exhausted by silence", "cancelled, still running", "completed"]


@pytest.mark.parametrize("standing", BURNT)
def test_a_holder_that_gave_up_or_was_overruled_cannot_come_back(standing: str) -> None:
    task = STANDINGS[standing]
    assert task.holder is None and grant_of(task).burnt_at == NOW
    for late in (NOW, NOW + HOUR):
        with pytest.raises(StaleLease, match="No lease is in force"):
            held_by(task, word(task), late, TERMS)


def test_requeue_burns_the_grant() -> None:
    task = requeue(RUNNING, LATER)
    with pytest.raises(StaleLease):
        renewed(task)
    assert (task.state, task.charged, task.reason, task.started_at) == (TaskState.PENDING, 0, "requeued", None)


def test_nobody_holds_what_nobody_claimed() -> None:
    with pytest.raises(StaleLease) as refused:
        held_by(new(), word(RUNNING), NOW, TERMS)
    assert refused.value.details == {"state": "pending"}


# ------------------------------------------------------------------------------------------------ renew


def test_a_renewal_extends_the_lease_by_the_ttl_from_now() -> None:
    assert grant_of(renewed(RUNNING)).expires_at == LATER + TERMS.ttl
    assert grant_of(renewed(HELD)).expires_at == LATER + TERMS.ttl
    assert renewed(HELD).state is TaskState.INPUT_REQUIRED


@given(held_tasks(), st.integers(-60_000_000, 7_200_000_000), st.integers(0, 7_200_000_000))
def test_no_renewal_reaches_past_the_runs_deadline_or_takes_time_away(task: Task, at: int, ttl: int) -> None:
    before = grant_of(task)
    after = grant_of(renewed(task, NOW + at * TICK, LeaseTerms(ttl=ttl * TICK)))
    assert before.expires_at <= after.expires_at <= after.run_deadline == before.run_deadline


@pytest.mark.parametrize(("pause", "written"), [(SLIVER - TICK, False), (SLIVER, True), (-TICK, False)])
def test_words_in_quick_succession_are_not_written_each(pause: timedelta, written: bool) -> None:
    """Every batch of output renews; a sixteenth of the ttl bounds the writes, and the same value says there is none."""
    assert (renewed(RUNNING, NOW + pause) is not RUNNING) is written


def test_a_session_is_written_at_once_and_kept_from_then_on() -> None:
    told = renew(RUNNING, word(RUNNING), NOW, TERMS, session=SessionId("ses_1"))
    assert (told.session, told.version) == ("ses_1", RUNNING.version + 1)
    assert renew(told, word(told), NOW, TERMS, session=SessionId("ses_1")) is told
    assert renewed(told).session == "ses_1"


def test_renewing_a_lapsed_lease_resumes_it_in_one_version() -> None:
    silent = lapse(RUNNING, LATER)
    back = renewed(silent)
    assert (back.state, back.version, back.charged) == (TaskState.RUNNING, silent.version + 1, 0)
    asking = renewed(lapse(HELD, LATER))
    assert (asking.state, asking.reason) == (TaskState.INPUT_REQUIRED, "question")


def test_who_once_shows_a_token_must_show_it_from_then_on() -> None:
    """The deployed claim has no place for a token; a worker that learnt it otherwise gets the stronger fence."""
    task = claimed(new(), tokened=False)
    tokenless = word(task)
    strict = renew(task, evolve(tokenless, token=grant_of(task).token), NOW, TERMS)
    assert strict.version == task.version + 1
    with pytest.raises(LeaseRequired):
        renew(strict, tokenless, NOW, TERMS)


# ----------------------------------------------------------------------------------------------- attend


def test_presence_renews_a_grant_without_a_token_and_no_other() -> None:
    task = claimed(new(), tokened=False)
    assert grant_of(attended(task, LATER)).expires_at == LATER + TERMS.ttl
    assert grant_of(attended(task, LATER)).spoke_at == NOW
    assert attended(RUNNING, LATER) is RUNNING
    for worker, principal in ((BOB, f"principal of {ANN}"), (ANN, f"principal of {BOB}")):
        assert attend(task, worker, principal, LATER, TERMS) is task


@pytest.mark.parametrize("standing", ["fresh", "released", "completed", "asking, parked"])
def test_presence_changes_nothing_about_a_task_without_a_holder(standing: str) -> None:
    assert attended(STANDINGS[standing], LATER) is STANDINGS[standing]


def test_presence_does_not_bring_back_a_lapsed_holder() -> None:
    """Only a word about this very task shows that its run still lives; the worker may have forgotten it."""
    silent = lapse(claimed(new(), tokened=False), LATER)
    assert attended(silent, LATER) is silent


@given(st.lists(st.integers(0, 120), max_size=30))
def test_presence_carries_a_silent_run_no_further_than_the_bound(pauses: list[int]) -> None:
    """An old worker that lost its task but beats on must not keep it from others for ever."""
    task, now = claimed(new(), tokened=False), NOW
    for pause in pauses:
        now += pause * SECOND
        task = attended(task, now)
    assert grant_of(task).expires_at <= NOW + TERMS.silence


def test_presence_carries_a_silent_run_exactly_to_the_bound() -> None:
    task = claimed(new(), tokened=False)
    for minute in range(10):
        task = attended(task, NOW + minute * 60 * SECOND)
    assert grant_of(task).expires_at == NOW + TERMS.silence


@given(st.lists(st.sampled_from(["presence", "word"]), min_size=1, max_size=40))
def test_a_holder_that_speaks_about_its_task_is_never_called_silent(said: list[str]) -> None:
    """A beat just before each word must not hide the word: the bound counts from the last word that was heard."""
    task, now, spoke = claimed(new(run_timeout=24 * HOUR), tokened=False), NOW, NOW
    for what in said:
        now += 20 * SECOND
        task = attended(task, now)
        if what == "word":
            task, spoke = renewed(task, now), now
    assert spoke - grant_of(task).spoke_at < SLIVER


def test_presence_never_takes_away_what_a_word_has_gained() -> None:
    """The bound may be shorter than the ttl; a lease that was given stays given."""
    task = claimed(new(), tokened=False)
    terms = evolve(TERMS, silence=SECOND)
    assert attend(task, ANN, f"principal of {ANN}", LATER, terms) is task


@pytest.mark.parametrize("missing", [1, 2, 30])
def test_presence_carries_a_run_all_the_way_to_its_deadline(missing: int) -> None:
    """However little is missing: a lapse before the deadline would start the run again, with a new one."""
    task = claimed(new(run_timeout=TERMS.ttl + missing * SECOND), tokened=False)
    task = attended(task, NOW + missing * SECOND)
    assert grant_of(task).expires_at == grant_of(task).run_deadline
    assert attended(task, NOW + (missing + 1) * SECOND) is task


# ------------------------------------------------------------------------------------------------ lapse


def test_a_lapse_charges_an_attempt_and_keeps_the_grant() -> None:
    task = lapse(RUNNING, LATER)
    assert (task.state, task.charged, task.reason, task.lapsed) == (TaskState.PENDING, 1, "worker_lost", True)
    assert task.holder == RUNNING.holder
    (attempt,) = task.attempts
    assert (attempt.token, attempt.ending, attempt.ended_at) == ("1.nonce1", Trigger.LAPSE, LATER)


@given(st.integers(1, 4))
def test_a_task_that_kills_its_workers_ends_after_its_attempts(max_attempts: int) -> None:
    task = new(max_attempts=max_attempts)
    for _ in range(max_attempts - 1):
        task = lapse(claimed(task), LATER)
        assert task.state is TaskState.PENDING
    task = lapse(claimed(task), LATER)
    assert (task.state, task.reason, task.charged) == (TaskState.FAILED, "worker_lost", max_attempts)
    assert task.error == f"The worker fell silent; attempt {max_attempts} of {max_attempts} was the last"
    assert [attempt.ending for attempt in task.attempts] == [Trigger.LAPSE] * max_attempts
    assert task.holder is None and task.ended_at == LATER


def test_a_lapse_keeps_the_questions_for_a_holder_that_comes_back_and_drops_them_for_the_next() -> None:
    silent = lapse(HELD, LATER)
    assert (silent.awaiting, silent.answer_by) == (HELD.awaiting, HELD.answer_by)
    assert renewed(silent).awaiting == HELD.awaiting
    assert claimed(silent, BOB).awaiting == ()


@pytest.mark.parametrize("standing", sorted(name for name, task in STANDINGS.items() if not task.holder or task.lapsed))
def test_what_nobody_holds_or_has_lapsed_already_cannot_lapse(standing: str) -> None:
    """Two reapers may act on one reading; the second charges nothing."""
    with pytest.raises(IllegalTransition):
        lapse(STANDINGS[standing], LATER)


# ----------------------------------------------------------------------- release, requeue, wake


@given(held_tasks())
def test_giving_back_charges_nothing(task: Task) -> None:
    """A worker that is told to stop (SIGTERM) loses no work and costs no attempt (promise 6)."""
    charged = task.charged - 1 if task.lapsed else task.charged
    back = release(task, word(task), LATER, TERMS)
    assert (back.state, back.charged, back.reason) == (TaskState.PENDING, charged, "released")
    assert (back.holder, back.started_at, back.awaiting, back.answer_by) == (None, None, (), None)
    assert back.attempts[-1].ending is Trigger.RELEASE
    assert back.ready


def test_taking_a_parked_task_back_does_not_record_its_attempt_twice() -> None:
    """Its grant was burnt, and recorded, when it asked."""
    parked = asked(RUNNING, held=False)
    again = requeue(parked, LATER)
    assert (again.state, again.awaiting) == (TaskState.PENDING, ())
    assert (again.attempts, again.grant) == (parked.attempts, parked.grant)


def test_waking_opens_a_task_that_was_put_off() -> None:
    asleep = failed(RUNNING, retry_after=HOUR)
    awake = wake(asleep, NOW + HOUR)
    assert (asleep.ready, awake.ready) == (False, True)
    assert (awake.not_before, awake.reason, awake.charged) == (None, None, 1)


def test_a_running_task_cannot_be_woken() -> None:
    with pytest.raises(IllegalTransition):
        wake(RUNNING, NOW)
