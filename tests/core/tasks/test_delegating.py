"""Noting who was given a task: by its holder alone, for whoever holds it next."""

import pytest
from attrs import evolve

from codetether_core import codec
from codetether_core.errors import StaleLease
from codetether_core.ids import AgentName
from codetether_core.tasks import Delegation, Task, change, delegate, lapse, release
from tests.core.tasks.lives import BOB, HELD, NOW, RUNNING, SECOND, STANDINGS, TERMS, claimed, word

LATER = NOW + SECOND
GIVEN = Delegation(agent=AgentName("far"), message="m", context="c")
NAMED = evolve(GIVEN, task="t")


def noted(task: Task, delegation: Delegation = GIVEN) -> Task:
    return delegate(task, word(task), delegation, LATER, TERMS)


@pytest.mark.parametrize("task", [RUNNING, HELD])
def test_a_holder_notes_it_and_nothing_else_changes(task: Task) -> None:
    after = noted(task)
    assert after == evolve(task, delegation=GIVEN, version=task.version + 1, updated_at=LATER)
    assert noted(after) is after
    assert noted(after, NAMED).delegation == NAMED


def test_the_next_holder_knows_it() -> None:
    task = noted(noted(RUNNING), NAMED)
    assert claimed(lapse(task, LATER), BOB).delegation == NAMED
    assert claimed(release(task, word(task), LATER, TERMS), BOB).delegation == NAMED


def test_a_lapsed_holder_that_notes_it_is_back() -> None:
    """It was only slow: what it has given away must not be given again."""
    task = lapse(RUNNING, LATER)
    after = noted(task)
    assert (after.state, after.charged, after.delegation) == ("running", 0, GIVEN)


@pytest.mark.parametrize("name", [name for name, task in STANDINGS.items() if task.holder is None])
def test_nobody_else_notes_anything(name: str) -> None:
    with pytest.raises(StaleLease):
        noted(claimed(RUNNING, BOB) if name == "running" else STANDINGS[name])


def test_the_log_says_it() -> None:
    """Who reads the log finds the task where it is done."""
    given, named = noted(RUNNING), noted(noted(RUNNING), NAMED)
    for old, new in ((RUNNING, given), (given, named)):
        event = change(old, new)
        assert event is not None
        assert event.kind == "task.status"
        assert event.data["status"] == event.data["previous"] == "running"
        assert event.data["delegation"] == codec.dump(new.delegation)
    lapsed = change(named, lapse(named, LATER))
    assert lapsed is not None
    assert "delegation" not in lapsed.data
