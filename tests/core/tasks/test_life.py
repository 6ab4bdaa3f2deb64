"""Whole lives: whatever happens to a task, in whatever order, these things stay true."""

from datetime import datetime, timedelta

import pytest
from attrs import evolve, fields
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from codetether_core.errors import LeaseRequired, StaleLease
from codetether_core.tasks import Grant, Task, TaskState, attend, held_by, lapse
from tests.core.tasks.lives import (
    ANN,
    HELD,
    HOUR,
    MOVES,
    NOW,
    RUNNING,
    SECOND,
    STANDINGS,
    TERMS,
    TICK,
    claimed,
    failed,
    moved,
    new,
    passing,
    specs,
    tasks,
    walk,
    walks,
    word,
    word_of,
)


class Life(RuleBasedStateMachine):
    """One task, everything that can be done to it, and every grant there ever was (staleness is the point)."""

    task: Task
    before: Task
    now: datetime = NOW
    grants: list[Grant]

    @initialize(spec=specs)
    def submit(self, spec: dict[str, object]) -> None:
        self.task = self.before = new(**spec)
        self.grants = []

    @rule(pause=passing)
    def time_passes(self, pause: timedelta) -> None:
        self.now += pause

    @rule(shift=st.sampled_from([-TICK, 0 * TICK, TICK]))
    def time_reaches_a_deadline(self, shift: timedelta) -> None:
        if self.task.due_at is not None:
            self.now = max(self.now, self.task.due_at + shift)

    @rule(name=st.sampled_from(sorted(MOVES)))
    def something_happens(self, name: str) -> None:
        task, self.before = self.task, self.task
        self.task = moved(task, MOVES[name], self.now)
        if self.task.grant and self.task.grant.token not in {grant.token for grant in self.grants}:
            self.grants.append(self.task.grant)

    @rule(data=st.data())
    def an_old_grant_speaks(self, data: st.DataObject) -> None:
        if not self.grants:
            return
        old = data.draw(st.sampled_from(self.grants))
        if self.task.holder and old.token == self.task.holder.token:
            held_by(self.task, word_of(self.task.holder), self.now, TERMS)
        elif old.tokened or (self.task.grant and self.task.grant.tokened) or self.task.holder is None:
            with pytest.raises((StaleLease, LeaseRequired)):
                held_by(self.task, word_of(old), self.now, TERMS)

    @invariant()
    def a_change_is_one_version(self) -> None:
        changed = self.task is not self.before
        assert self.task.version == self.before.version + changed
        assert changed or self.task == self.before

    @invariant()
    def what_was_asked_for_and_by_whom_never_changes(self) -> None:
        for name in ("id", "tenant", "spec", "created_by", "created_at"):
            assert getattr(self.task, name) == getattr(self.before, name)

    @invariant()
    def it_is_in_its_state_since_that_was_another(self) -> None:
        """A lapsed holder that gives it back has been through another state within one change."""
        task, before = self.task, self.before
        changed = task.since != before.since
        assert not changed or task.since == task.updated_at
        assert task.state is before.state or task.since == task.updated_at
        assert task.state is not before.state or not changed or before.lapsed

    @invariant()
    def attempts_are_charged_up_to_the_limit(self) -> None:
        limit = self.task.spec.max_attempts
        assert 0 <= self.task.charged <= limit
        assert self.task.ended or self.task.charged < limit

    @invariant()
    def grants_are_numbered_upwards(self) -> None:
        assert [grant.number for grant in self.grants] == list(range(1, len(self.grants) + 1))

    @invariant()
    def running_means_held_and_an_end_means_not(self) -> None:
        task = self.task
        assert task.holder is not None or task.state is not TaskState.RUNNING
        assert task.holder is None or not task.ended
        assert task.ended == (task.ended_at is not None)
        assert task.lapsed == (task.state is TaskState.PENDING and task.holder is not None)
        assert task.stopped or (task.state is TaskState.CANCELLED and task.grant is not None)

    @invariant()
    def ready_means_pending_and_not_put_off(self) -> None:
        assert self.task.ready == (self.task.state is TaskState.PENDING and self.task.not_before is None)
        assert self.task.not_before is None or self.task.state is TaskState.PENDING

    @invariant()
    def a_lease_never_outlasts_its_run(self) -> None:
        if grant := self.task.grant:
            assert grant.granted_at <= grant.spoke_at
            assert grant.granted_at <= grant.expires_at <= grant.run_deadline

    @invariant()
    def every_grant_that_is_over_is_on_record_once(self) -> None:
        """Only the newest sixteen are kept; a grant that counts is on record just while it is lapsed."""
        over = [grant.token for grant in self.grants]
        if self.task.holder and not self.task.lapsed:
            over.pop()
        kept = [attempt.token for attempt in self.task.attempts]
        assert kept == over[len(over) - len(kept) :]
        assert len(kept) >= min(len(over), 15)

    @invariant()
    def a_question_is_awaited_by_who_asks_or_has_lapsed(self) -> None:
        task = self.task
        assert (task.state is TaskState.INPUT_REQUIRED) <= bool(task.awaiting)
        assert bool(task.awaiting) <= (task.state is TaskState.INPUT_REQUIRED or task.lapsed)
        assert bool(task.awaiting) == (task.answer_by is not None)

    @invariant()
    def only_pending_waits_without_end(self) -> None:
        """Promise 3: whatever runs or asks has a moment at which time alone moves it on."""
        assert self.task.due_at is not None or self.task.ended or self.task.state is TaskState.PENDING
        assert self.task.due_at is None or not self.task.ended


TestLife = Life.TestCase


# ---------------------------------------------------------------------------------------------- due_at


@pytest.mark.parametrize(
    ("task", "due"),
    [
        (new(), None),
        (new(start_by=NOW + HOUR), NOW + HOUR),
        (claimed(new(start_by=NOW + SECOND)), NOW + TERMS.ttl),
        (failed(claimed(new(start_by=NOW + SECOND)), retry_after=HOUR), NOW + HOUR),
        (RUNNING, NOW + TERMS.ttl),
        (claimed(new(run_timeout=SECOND)), NOW + SECOND),
        (HELD, NOW + TERMS.ttl),
        (evolve(HELD, answer_by=NOW + SECOND), NOW + SECOND),
        (lapse(RUNNING, NOW), None),
        (lapse(HELD, NOW), NOW + HOUR),
        (STANDINGS["asking, parked"], NOW + HOUR),
        (STANDINGS["put off"], NOW + HOUR),
        *((task, None) for task in STANDINGS.values() if task.ended),
    ],
)
def test_a_task_is_due_at_the_first_moment_that_time_alone_changes_it(task: Task, due: datetime | None) -> None:
    """Stores index by it, so a moment too many wakes the reaper for nothing and one too few is never acted on."""
    assert task.due_at == due


# ---------------------------------------------------------------------------------------------- purity


@given(specs, walks)
def test_the_same_happenings_make_the_same_life(spec: dict[str, object], steps: list[tuple[str, timedelta]]) -> None:
    """No verb reads a clock or rolls dice, so a history can be replayed anywhere."""
    assert walk(new(**spec), steps) == walk(new(**spec), steps)


@given(tasks())
def test_a_task_is_a_value(task: Task) -> None:
    """Watchers, caches and stores share it; nobody may change it under the others."""
    for field in fields(Task):
        with pytest.raises(AttributeError):
            setattr(task, field.name, None)
    assert not hasattr(task, "__dict__")


@given(st.lists(passing, max_size=20))
def test_a_holder_that_renews_in_time_is_due_at_its_deadline_at_the_latest(pauses: list[timedelta]) -> None:
    task, now = RUNNING, NOW
    for pause in pauses:
        now += pause
        task = moved(task, MOVES["renew"], now)
        assert task.due_at is not None and task.due_at <= NOW + TERMS.run_timeout


def test_presence_of_a_worker_leaves_alone_what_it_does_not_hold() -> None:
    for task in STANDINGS.values():
        if task.holder is None or task.holder.tokened:
            assert attend(task, ANN, word(task).principal, NOW + SECOND, TERMS) is task
