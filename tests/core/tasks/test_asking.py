"""Questions of a running agent: held ones, parked ones, and how both meet lapses and deadlines."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_core.errors import IllegalTransition, StaleLease
from codetether_core.ids import ApprovalId
from codetether_core.tasks import Task, TaskState, Trigger, answer, ask, consult, lapse, release, renew
from tests.core.tasks.lives import (
    BOB,
    FIRST,
    HELD,
    HOUR,
    NOW,
    RUNNING,
    SECOND,
    SECOND_QUESTION,
    STANDINGS,
    TERMS,
    asked,
    claimed,
    grant_of,
    held_tasks,
    new,
    word,
)

LATER = NOW + 30 * SECOND
PARKED = STANDINGS["asking, parked"]
TWICE = STANDINGS["asking twice, held"]


def test_who_asks_and_holds_keeps_its_grant_and_renews() -> None:
    assert (HELD.state, HELD.holder, HELD.reason) == (TaskState.INPUT_REQUIRED, RUNNING.holder, "question")
    assert (HELD.awaiting, HELD.answer_by, HELD.attempts) == ((FIRST,), NOW + HOUR, ())
    assert renew(HELD, word(HELD), LATER, TERMS).state is TaskState.INPUT_REQUIRED


def test_the_answer_lets_a_held_run_go_on() -> None:
    on = answer(HELD, FIRST, LATER)
    assert (on.state, on.holder, on.reason) == (TaskState.RUNNING, RUNNING.holder, None)
    assert (on.awaiting, on.answer_by, on.charged) == ((), None, 0)


@given(held_tasks())
def test_who_is_answered_at_once_goes_on_and_is_back_if_it_had_lapsed(task: Task) -> None:
    """Always at another version: the answer is written with it."""
    on = consult(task, word(task), LATER, TERMS)
    assert on.state is (TaskState.INPUT_REQUIRED if task.awaiting else TaskState.RUNNING)
    assert (on.version, on.updated_at, on.awaiting) == (task.version + 1, LATER, task.awaiting)
    assert on.holder is not None and (on.lapsed, on.charged) == (False, 0)
    assert task.lapsed or on.holder == task.holder


def test_who_does_not_hold_the_task_has_no_answer_at_once() -> None:
    for task in (PARKED, release(RUNNING, word(RUNNING), NOW, TERMS)):
        with pytest.raises(StaleLease):
            consult(task, word(task), LATER, TERMS)


def test_who_asks_and_parks_burns_its_grant_uncharged() -> None:
    assert (PARKED.state, PARKED.holder, PARKED.charged) == (TaskState.INPUT_REQUIRED, None, 0)
    assert grant_of(PARKED).burnt_at == NOW
    assert PARKED.attempts[-1].ending is Trigger.ASK_PARKED
    with pytest.raises(StaleLease):
        renew(PARKED, word(PARKED), LATER, TERMS)


def test_the_answer_makes_a_parked_task_ready_for_anybody() -> None:
    again = answer(PARKED, FIRST, LATER)
    assert (again.state, again.ready, again.reason) == (TaskState.PENDING, True, None)
    assert (again.awaiting, again.answer_by) == ((), None)
    assert grant_of(claimed(again, BOB)).number == 2


def test_a_run_goes_on_when_the_last_of_its_questions_is_answered() -> None:
    assert TWICE.awaiting == (FIRST, SECOND_QUESTION)
    half = answer(TWICE, FIRST, LATER, next_deadline=NOW + 2 * HOUR)
    assert (half.state, half.awaiting) == (TaskState.INPUT_REQUIRED, (SECOND_QUESTION,))
    assert (half.answer_by, half.reason) == (NOW + 2 * HOUR, "question")
    assert answer(half, SECOND_QUESTION, LATER).state is TaskState.RUNNING


@given(st.lists(st.integers(1, 100).map(lambda minutes: timedelta(minutes=minutes)), min_size=1, max_size=5))
def test_the_task_is_due_with_the_earliest_of_its_questions(waits: list[timedelta]) -> None:
    task = claimed(new(run_timeout=24 * HOUR))
    for number, wait in enumerate(waits):
        id = ApprovalId(f"apr_{number}")
        task = ask(task, word(task), NOW, TERMS, approval=id, deadline=NOW + wait, held=True)
    assert task.answer_by == NOW + min(waits)
    assert task.due_at == min(NOW + min(waits), NOW + TERMS.ttl)


@pytest.mark.parametrize("standing", sorted(STANDINGS))
def test_an_answer_that_nobody_awaits_is_refused(standing: str) -> None:
    """The second answer, or one to a question whose task was cancelled meanwhile, starts nothing."""
    with pytest.raises(IllegalTransition) as refused:
        answer(STANDINGS[standing], ApprovalId("apr_other"), LATER)
    assert refused.value.details["state"] == STANDINGS[standing].state


def test_a_question_may_be_answered_while_its_holder_is_silent() -> None:
    """The answer waits for the holder: if it comes back it goes on, if another is granted the run starts anew."""
    silent = lapse(HELD, LATER)
    answered = answer(silent, FIRST, LATER)
    assert (answered.state, answered.lapsed, answered.awaiting) == (TaskState.PENDING, True, ())
    assert answered.reason == "worker_lost"
    assert renew(answered, word(HELD), LATER, TERMS).state is TaskState.RUNNING
    assert claimed(answered, BOB).state is TaskState.RUNNING


def test_of_two_questions_one_may_be_answered_while_the_holder_is_silent() -> None:
    answered = answer(lapse(TWICE, LATER), FIRST, LATER, next_deadline=NOW + HOUR)
    assert (answered.awaiting, answered.answer_by) == ((SECOND_QUESTION,), NOW + HOUR)
    back = renew(answered, word(TWICE), LATER, TERMS)
    assert (back.state, back.reason) == (TaskState.INPUT_REQUIRED, "question")


@pytest.mark.parametrize("held", [True, False])
def test_a_lapsed_holder_may_ask(held: bool) -> None:
    """It is honoured; asking resumes it, refunds the charge, and asks, in one version."""
    silent = lapse(RUNNING, LATER)
    asking = asked(silent, LATER, held=held)
    assert (asking.state, asking.charged, asking.version) == (TaskState.INPUT_REQUIRED, 0, silent.version + 1)
    assert [attempt.ending for attempt in asking.attempts] == ([] if held else [Trigger.ASK_PARKED])


def test_a_run_that_awaits_an_answer_and_holds_cannot_park() -> None:
    """The grant is kept for the first question; burning it would leave that one to nobody."""
    with pytest.raises(IllegalTransition):
        asked(HELD, held=False, approval=SECOND_QUESTION)


@pytest.mark.parametrize("standing", ["released", "completed", "cancelled, still running", "asking, parked"])
def test_only_a_holder_may_ask(standing: str) -> None:
    with pytest.raises(StaleLease):
        asked(STANDINGS[standing], held=True)


def test_giving_a_task_back_drops_its_questions() -> None:
    back = release(TWICE, word(TWICE), LATER, TERMS)
    assert (back.awaiting, back.answer_by) == ((), None)


def test_a_parked_task_is_due_with_its_question_only() -> None:
    assert PARKED.due_at == NOW + HOUR
