"""How a run ends, how a task ends, and what may still be said afterwards."""

from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from codetether_core.errors import IllegalTransition, LeaseRequired, StaleLease
from codetether_core.tasks import (
    Task,
    TaskState,
    Trigger,
    Word,
    cancel,
    complete,
    confirm_stop,
    expire,
    fail,
    keep_evidence,
    lapse,
    may_trail,
    release,
    review,
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
    claimed,
    failed,
    grant_of,
    held_tasks,
    new,
    tasks,
    word,
)

LATER = NOW + 30 * SECOND
STRANGER = Word(worker=ANN, principal=f"principal of {ANN}", token="1.guessed")
GRACE = 10 * SECOND


def completed(task: Task, result: str = "done") -> Task:
    return complete(task, word(task), LATER, TERMS, result=result)


# --------------------------------------------------------------------------------------- one outcome


@given(held_tasks())
def test_the_holders_outcome_ends_the_task_and_burns_the_grant(task: Task) -> None:
    done = completed(task)
    assert (done.state, done.result, done.ended_at) == (TaskState.COMPLETED, "done", LATER)
    assert (done.holder, done.fence, done.due_at) == (None, "", None)
    assert (done.awaiting, done.answer_by, done.reason, done.error) == ((), None, None, None)
    assert done.attempts[-1].ending is Trigger.COMPLETE
    assert done.attempts[-1].token == grant_of(task).token


@given(held_tasks(), st.booleans())
def test_a_report_that_is_said_again_is_the_same_value(task: Task, well: bool) -> None:
    """Its first answer was lost on the way; the worker must get its 200, and the log nothing new."""
    ended = completed(task) if well else failed(task)
    again = completed(ended, "another text") if well else failed(ended, NOW + HOUR)
    assert again is ended


@pytest.mark.parametrize("standing", ["completed", "failed"])
def test_a_report_by_any_other_grant_is_stale_even_if_it_says_the_same(standing: str) -> None:
    task = STANDINGS[standing]
    for said, refusal in ((STRANGER, StaleLease), (evolve(STRANGER, token=None), LeaseRequired)):
        with pytest.raises(refusal):
            complete(task, said, LATER, TERMS)
        with pytest.raises(refusal):
            fail(task, said, LATER, TERMS, error="")


def test_a_holder_cannot_change_its_mind() -> None:
    with pytest.raises(StaleLease):
        failed(STANDINGS["completed"])
    with pytest.raises(StaleLease):
        completed(STANDINGS["failed"])


@pytest.mark.parametrize("standing", ["exhausted by silence", "cancelled, still running"])
def test_an_end_that_others_brought_is_not_taken_for_the_holders_own(standing: str) -> None:
    """Its report comes too late and goes to evidence; answered as a repetition it would be lost."""
    for report in (completed, failed):
        with pytest.raises(StaleLease):
            report(STANDINGS[standing])


def test_a_run_that_went_past_its_deadline_is_not_heard_any_more() -> None:
    over = expire(RUNNING, LATER, reason="run_deadline", error="The run took too long")
    assert (over.state, over.reason, over.attempts[-1].ending) == (TaskState.FAILED, "run_deadline", Trigger.EXPIRE)
    with pytest.raises(StaleLease):
        failed(over)


@given(held_tasks(), st.none() | st.just(SECOND))
def test_a_failure_is_charged_and_retried_while_attempts_are_left(task: Task, retry_after: timedelta | None) -> None:
    charged = task.charged + (0 if task.lapsed else 1)
    after = failed(task, LATER, retry_after=retry_after)
    assert (after.charged, after.error, after.reason) == (charged, "it broke", "agent_failed")
    assert after.holder is None
    if retry_after is not None and charged < task.spec.max_attempts:
        assert (after.state, after.not_before, after.ready) == (TaskState.PENDING, LATER + SECOND, False)
        assert (after.attempts[-1].ending, after.due_at) == (Trigger.RETRY, LATER + SECOND)
        assert failed(after, LATER) is after, "its answer was lost: the same word again changes nothing"
    else:
        assert (after.state, after.not_before, after.ended_at) == (TaskState.FAILED, None, LATER)
        assert after.attempts[-1].ending is (Trigger.FAIL if retry_after is None else Trigger.EXHAUST)


# ------------------------------------------------------------------------------------------- cancel


@given(tasks())
def test_a_cancel_ends_what_has_not_ended_and_only_that(task: Task) -> None:
    if task.ended:
        with pytest.raises(IllegalTransition):
            cancel(task, LATER, by="carol")
        return
    over = cancel(task, LATER, by="carol")
    assert (over.state, over.reason, over.error) == (TaskState.CANCELLED, "cancelled", "Cancelled by carol")
    assert (over.holder, over.due_at, over.awaiting) == (None, None, ())
    assert over.stopped is (task.holder is None)


def test_a_cancelled_run_is_fenced_apart_until_its_stop_is_confirmed() -> None:
    """Output that was on its way must be told from output of the run, and the store must see which it is."""
    assert RUNNING.fence == "1.nonce1"
    over = cancel(RUNNING, LATER, by="carol")
    assert (over.fence, over.stopped) == ("1.nonce1/cancelled", False)
    stopped = confirm_stop(over, word(over), LATER)
    assert (stopped.fence, stopped.stopped, stopped.version) == ("", True, over.version + 1)
    assert confirm_stop(stopped, word(over), LATER) is stopped


@pytest.mark.parametrize(
    ("standing", "fence"),
    [
        ("fresh", ""),
        ("put off", ""),
        ("released", ""),
        ("lapsed", "1.nonce1"),
        ("asking, held", "1.nonce1"),
        ("asking, parked", ""),
        ("completed", ""),
        ("exhausted by silence", ""),
        ("cancelled unclaimed", ""),
    ],
)
def test_the_fence_is_the_honoured_grant_and_nothing_without_one(standing: str, fence: str) -> None:
    assert STANDINGS[standing].fence == fence


def test_a_holder_that_had_lapsed_has_to_stop_as_well() -> None:
    """It is honoured until somebody else is granted, so it may be running still."""
    over = cancel(STANDINGS["lapsed"], LATER, by="carol")
    assert (over.stopped, over.fence) == (False, "1.nonce1/cancelled")
    assert [attempt.ending for attempt in over.attempts] == [Trigger.LAPSE]


@pytest.mark.parametrize("standing", ["running", "completed", "failed", "fresh", "cancelled unclaimed"])
def test_there_is_nothing_to_stop_where_nothing_was_cancelled(standing: str) -> None:
    with pytest.raises(StaleLease):
        confirm_stop(STANDINGS[standing], word(RUNNING), LATER)
    assert not may_trail(STANDINGS[standing], word(RUNNING), LATER, GRACE)


def test_only_the_cancelled_holder_confirms_the_stop() -> None:
    over = STANDINGS["cancelled, still running"]
    with pytest.raises(StaleLease):
        confirm_stop(over, STRANGER, LATER)
    with pytest.raises(LeaseRequired):
        confirm_stop(over, evolve(STRANGER, token=None), LATER)


@pytest.mark.parametrize(("after", "may"), [(0 * TICK, True), (GRACE - TICK, True), (GRACE, False), (HOUR, False)])
def test_output_may_trail_a_cancel_within_the_grace_period(after: timedelta, may: bool) -> None:
    over = STANDINGS["cancelled, still running"]
    assert may_trail(over, word(over), NOW + after, GRACE) is may
    assert not may_trail(STANDINGS["cancelled, stopped"], word(over), NOW + after, GRACE)
    with pytest.raises(StaleLease):
        may_trail(over, STRANGER, NOW, GRACE)


# ----------------------------------------------------------------------------------- expire, evidence


def test_an_expired_question_or_start_by_fails_the_task_and_says_why() -> None:
    for standing in ("fresh", "asking, parked", "lapsed"):
        over = expire(STANDINGS[standing], LATER, reason="start_by", error="Nobody took it")
        assert (over.state, over.reason, over.error) == (TaskState.FAILED, "start_by", "Nobody took it")
        assert over.attempts == STANDINGS[standing].attempts
        assert over.holder is None


def test_the_late_result_of_a_superseded_run_is_kept_on_its_attempt() -> None:
    """It is not the outcome, but it may be a day's work."""
    taken = claimed(lapse(RUNNING, LATER), BOB)
    kept = keep_evidence(taken, "1.nonce1", "what I found", LATER)
    assert (kept.attempts[0].evidence, kept.version) == ("what I found", taken.version + 1)
    assert (kept.state, kept.grant) == (taken.state, taken.grant)
    assert keep_evidence(kept, "1.nonce1", "something else", LATER) is kept


@pytest.mark.parametrize("token", ["2.nonce2", "1.guessed", ""])
def test_evidence_of_a_grant_that_is_unknown_or_not_over_is_not_kept(token: str) -> None:
    taken = claimed(lapse(RUNNING, LATER), BOB)
    assert keep_evidence(taken, token, "what I found", LATER) is taken


def test_evidence_is_kept_past_the_end() -> None:
    over = STANDINGS["exhausted by silence"]
    assert keep_evidence(over, "1.nonce1", "I was nearly done", LATER).attempts[-1].evidence == "I was nearly done"


def test_only_the_last_sixteen_attempts_are_kept() -> None:
    """A task that is released again and again must not grow without bound."""
    task = new()
    for _ in range(20):
        task = release(running := claimed(task), word(running), LATER, TERMS)
    assert [attempt.token for attempt in task.attempts] == [f"{n}.nonce{n}" for n in range(5, 21)]
    assert task.charged == 0


# ------------------------------------------------------------------------------------------- review


def test_an_outcome_is_reviewed_once() -> None:
    seen = review(STANDINGS["completed"], LATER)
    assert (seen.reviewed, seen.version) == (True, STANDINGS["completed"].version + 1)
    assert review(seen, LATER) is seen


@pytest.mark.parametrize("task", [new(), RUNNING, HELD], ids=["pending", "running", "asking"])
def test_there_is_no_outcome_to_review_before_the_end(task: Task) -> None:
    """A flag set early would hide the outcome from the board's review column later."""
    with pytest.raises(IllegalTransition):
        review(task, LATER)
