"""What the log says of a change."""

from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given

from codetether_core.events import Topic
from codetether_core.ids import SessionId
from codetether_core.tasks import CHANGE_KINDS, Task, TaskState, change, confirm_stop, lapse, renew, review
from tests.core.tasks.lives import (
    BOB,
    HELD,
    NOW,
    RUNNING,
    SECOND,
    SECOND_QUESTION,
    STANDINGS,
    TERMS,
    asked,
    claimed,
    failed,
    new,
    specs,
    walk,
    walks,
    word,
)

ENDS = {"task.completed", "task.failed", "task.cancelled"}


def said(old: Task | None, to: Task) -> tuple[str, Any]:
    event = change(old, to)
    assert event is not None
    assert (event.topic, event.at) == (Topic.task(to.tenant, to.spec.codebase, to.id), to.updated_at)
    return event.kind, event.data


def test_a_new_task_is_told_with_what_a_list_shows_of_it() -> None:
    assert said(None, new(priority=3)) == (
        "task.created",
        {
            "task_id": "tsk_1",
            "codebase_id": "cb_1",
            "title": "a title",
            "status": "pending",
            "attempt": 0,
            "worker_id": None,
            "session_id": None,
            "agent_type": "build",
            "priority": 3,
        },
    )


def test_a_claim_is_told_with_the_worker_and_the_state_before() -> None:
    kind, data = said(new(), RUNNING)
    assert (kind, data["status"], data["previous"]) == ("task.status", "running", "pending")
    assert (data["worker_id"], data["attempt"]) == ("ann", 1)


@pytest.mark.parametrize("standing", ["completed", "failed", "cancelled, still running"])
def test_an_end_is_told_with_its_outcome(standing: str) -> None:
    task = STANDINGS[standing]
    kind, data = said(RUNNING, task)
    assert kind == f"task.{task.state}"
    assert (data["result"], data["error"], data.get("reason")) == (task.result, task.error, task.reason)


def test_what_went_wrong_is_told_of_a_task_that_will_be_tried_again() -> None:
    kind, data = said(RUNNING, failed(RUNNING, retry_after=SECOND))
    assert (kind, data["error"], data["reason"]) == ("task.status", "it broke", "agent_failed")


def test_a_session_is_told_when_it_becomes_known() -> None:
    kind, data = said(RUNNING, renew(RUNNING, word(RUNNING), NOW, TERMS, session=SessionId("ses_1")))
    assert (kind, data["session_id"]) == ("task.status", "ses_1")


def test_that_a_cancelled_run_has_stopped_is_told_once() -> None:
    over = STANDINGS["cancelled, still running"]
    assert said(over, confirm_stop(over, word(over), NOW))[0] == "task.stopped"


def test_another_grant_is_told_even_if_the_state_reads_the_same() -> None:
    """Two swaps may be told as one; a watcher must still learn that the run is another's."""
    taken = claimed(lapse(RUNNING, NOW), BOB)
    kind, data = said(RUNNING, taken)
    assert (kind, data["previous"], data["attempt"], data["worker_id"]) == ("task.status", "running", 2, "bob")


@pytest.mark.parametrize(
    ("old", "to"),
    [
        (RUNNING, renew(RUNNING, word(RUNNING), NOW + TERMS.ttl, TERMS)),
        (HELD, asked(HELD, held=True, approval=SECOND_QUESTION)),
        (STANDINGS["completed"], review(STANDINGS["completed"], NOW)),
        (STANDINGS["put off"], evolve(STANDINGS["put off"], not_before=None)),
    ],
    ids=["renewal", "second question", "review", "waking"],
)
def test_what_concerns_no_watcher_of_the_task_is_not_told(old: Task, to: Task) -> None:
    """Renewals are most of all writes; told, they would be most of the log."""
    assert change(old, to) is None


@given(specs, walks)
def test_a_watcher_that_hears_every_change_knows_where_the_task_stands(spec: dict[str, Any], steps: Any) -> None:
    """Created first, exactly one end at most, and each word joins on to the one before (promise 4)."""
    lives = walk(new(**spec), steps)
    told = [change(None, lives[0]), *(change(old, to) for old, to in pairwise(lives))]
    events = [event for event in told if event is not None]
    assert [event.kind for event in events].count("task.created") == 1
    assert sum(event.kind in ENDS for event in events) == lives[-1].ended
    assert {event.kind for event in events} <= set(CHANGE_KINDS)
    known = events[0].data["status"]
    for event in events[1:]:
        assert event.data.get("previous", known) == known
        known = event.data["status"]
    assert known == lives[-1].state
    assert all(event.data["status"] in set(TaskState) for event in events)
