"""The table of a task's life: total, closed at its ends, and without a row that nothing uses."""

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from codetether_core.errors import CodeTetherError, IllegalTransition
from codetether_core.tasks import TERMINAL, TRANSITIONS, Task, TaskState, Trigger, asking, ending, holding
from codetether_core.tasks.task import step
from tests.core.tasks.lives import MOVES, NOW, SECOND, STANDINGS, TERMS, claimed, moved, new, tasks, word


@given(tasks(), st.sampled_from(TaskState), st.sampled_from(Trigger))
def test_every_trigger_in_every_state_has_a_row_or_is_refused(task: Task, state: TaskState, trigger: Trigger) -> None:
    """A pair nobody thought of must be a clean refusal, never a surprise."""
    task = evolve(task, state=state)
    before = evolve(task)
    if (state, trigger) in TRANSITIONS:
        stepped = step(task, trigger, NOW + SECOND, reason="because")
        assert stepped == evolve(
            task,
            state=TRANSITIONS[state, trigger],
            since=task.since if TRANSITIONS[state, trigger] is state else NOW + SECOND,
            version=task.version + 1,
            updated_at=NOW + SECOND,
            reason="because",
        )
    else:
        with pytest.raises(IllegalTransition) as refused:
            step(task, trigger, NOW + SECOND, reason="because")
        assert refused.value.details == {"id": task.id, "state": state, "trigger": trigger}
    assert task == before


def test_it_is_known_since_when_a_task_is_in_its_state() -> None:
    """What leaves it there leaves that as it is."""
    task = claimed(new(), now=NOW + SECOND)
    renewed = holding.renew(task, word(task), NOW + 9 * SECOND, TERMS)
    assert (new().since, task.since, renewed.since) == (NOW, NOW + SECOND, NOW + SECOND)
    assert renewed.updated_at == NOW + 9 * SECOND


def test_the_table_speaks_of_states_and_triggers_only_and_cannot_be_changed() -> None:
    for (state, trigger), target in TRANSITIONS.items():
        assert (type(state), type(trigger), type(target)) == (TaskState, Trigger, TaskState)
    frozen: Any = TRANSITIONS
    with pytest.raises(TypeError):
        frozen[TaskState.COMPLETED, Trigger.CLAIM] = TaskState.RUNNING


def test_every_trigger_is_in_the_table() -> None:
    assert {trigger for _, trigger in TRANSITIONS} == set(Trigger)


def reachable(start: TaskState) -> set[TaskState]:
    found = {start}
    while True:
        further = {target for (state, _), target in TRANSITIONS.items() if state in found}
        if further <= found:
            return found
        found |= further


def test_every_state_is_reachable() -> None:
    assert reachable(TaskState.PENDING) == set(TaskState)


@pytest.mark.parametrize("state", sorted(set(TaskState) - TERMINAL))
def test_what_has_not_ended_can_end_in_every_way_and_at_once(state: TaskState) -> None:
    """No state is a trap; and a client or a deadline needs one step to end a task, wherever it stands."""
    assert reachable(state) >= TERMINAL
    assert TRANSITIONS[state, Trigger.CANCEL] is TaskState.CANCELLED
    assert TRANSITIONS[state, Trigger.EXPIRE] is TaskState.FAILED


def test_no_row_leads_out_of_an_end() -> None:
    assert frozenset({TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELLED}) == TERMINAL
    assert not [state for state, _ in TRANSITIONS if state in TERMINAL]


ENDED = sorted(name for name, task in STANDINGS.items() if task.ended)


@pytest.mark.parametrize("standing", ENDED)
def test_an_end_is_for_good_whatever_is_said_afterwards(standing: str) -> None:
    """One outcome (promise 2): no verb takes back, or speaks over, what has been accepted."""
    task = STANDINGS[standing]
    for move in MOVES.values():
        after = moved(task, move, NOW + SECOND)
        assert evolve(after, version=task.version, updated_at=task.updated_at, stopped=task.stopped) == task


@pytest.mark.parametrize("standing", sorted(STANDINGS))
def test_a_verb_returns_another_version_or_the_very_same_value_or_refuses(standing: str) -> None:
    """Totality one level up: what is refused is refused with an error of ours, and nothing is changed in place."""
    task = STANDINGS[standing]
    before = evolve(task)
    for move in MOVES.values():
        try:
            after = move(task, NOW + SECOND)
        except CodeTetherError:
            after = task
        assert after is task or after.version == task.version + 1
        assert task == before


def test_every_row_is_pulled_by_a_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that no verb uses would be a promise that nothing keeps: walk all verbs from a new task and see."""
    pulled: set[tuple[TaskState, Trigger]] = set()

    def noting(task: Task, trigger: Trigger, *args: Any, **changes: Any) -> Task:
        stepped = step(task, trigger, *args, **changes)
        pulled.add((task.state, trigger))
        return stepped

    for module in (holding, asking, ending):
        monkeypatch.setattr(module, "step", noting)

    def outline(task: Task) -> tuple[Any, ...]:
        return task.state, task.holder is None, len(task.awaiting), task.charged, task.not_before is None

    seen, edge = set[tuple[Any, ...]](), [new(max_attempts=2)]
    while edge:
        further = [moved(task, move, NOW + SECOND) for task in edge for move in MOVES.values()]
        edge = []
        for task in further:
            if outline(task) not in seen and len(task.awaiting) <= 2:
                seen.add(outline(task))
                edge.append(task)
    assert pulled == set(TRANSITIONS)


def test_the_standings_of_these_tests_cover_every_state() -> None:
    assert {task.state for task in STANDINGS.values()} == set(TaskState)
