"""Examples of what a task store is asked: what is ready, what is due, and pages of lists."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from attrs import evolve

from codetether_core.ids import CodebaseId, TaskId, WorkerId
from codetether_core.ports import Backend, TaskOrder, TaskQuery
from codetether_core.tasks import TaskState, lane_of, release, requeue
from contracts.ports.harness import Example
from contracts.ports.samples import (
    CODEBASE,
    MICROSECOND,
    NOW,
    OTHER_TENANT,
    SECOND,
    TENANT,
    TERMS,
    claimed,
    new_task,
    put_off,
    word,
)

__all__ = ["QUESTIONS"]


async def ready_is_best_first(backend: Backend) -> None:
    """Priority, highest first, then creation, then id; equal keys included; no more than the limit of each lane."""
    tasks = [
        new_task(f"t{n}", priority=priority, at=NOW + offset * MICROSECOND)
        for n, (priority, offset) in enumerate([(0, 0), (0, 0), (2, 1), (2, 0), (-1, 0), (0, -1), (0, 1)])
    ]
    other = new_task("other", agent_type="plan")
    for task in (*tasks, other):
        await backend.tasks.add(task)
    lanes = [lane_of(TENANT, task.spec) for task in (tasks[0], other)]
    best = [tasks[n] for n in (3, 2, 5, 0, 1, 6, 4)]
    assert [*await backend.tasks.ready(lanes[:1], 100)] == best
    assert [*await backend.tasks.ready(lanes[:1], 3)] == best[:3]
    both = await backend.tasks.ready(lanes, 1)
    assert sorted(task.id for task in both) == ["other", "t3"]
    assert [*await backend.tasks.list(TENANT, TaskQuery(codebase=CODEBASE))][:2] == best[:2]


async def ready_is_cheap_to_bound(backend: Backend) -> None:
    """Of very many tasks as many as were asked for."""
    await asyncio.gather(*(backend.tasks.add(new_task(f"t{n:04}")) for n in range(1000)))
    lanes = await backend.tasks.lanes(TENANT, limit=100)
    assert len(lanes) == 1
    assert [task.id for task in await backend.tasks.ready(lanes, 10)] == [f"t{n:04}" for n in range(10)]
    assert not await backend.tasks.ready([], 10)


async def a_lane_is_there_while_it_has_a_ready_task(backend: Backend) -> None:
    """Claimed, put off and ended tasks leave it; the last one takes it along; one that comes back brings it back."""
    store = backend.tasks
    first, second = new_task("a"), new_task("b")
    lane = lane_of(TENANT, first.spec)
    await store.add(first)
    await store.add(second)
    running, delayed = claimed(first), put_off(second, NOW + SECOND)
    await store.replace(first, running)
    assert [*await store.lanes(TENANT, limit=100)] == [lane]
    await store.replace(second, delayed)
    assert [*await store.lanes(TENANT, limit=100)] == []
    assert not await store.ready([lane], 10)
    back = release(running, word(running.grant), NOW, TERMS)
    await store.replace(running, back)
    assert [*await store.lanes(TENANT, limit=100)] == [lane]
    assert [*await store.ready([lane], 10)] == [back]


async def lanes_are_told_apart_by_all_of_their_members(backend: Backend) -> None:
    """Codebase, agent type, targets and capabilities; they come back as they went in."""
    specs: list[dict[str, Any]] = [
        {},
        {"codebase": CodebaseId("cb2")},
        {"agent_type": "plan"},
        {"target_agent": "a"},
        {"target_worker": "a"},
        {"required_capabilities": ("a",)},
        {"required_capabilities": ("a", "b")},
    ]
    tasks = [new_task(f"t{n}", **spec) for n, spec in enumerate(specs)]
    for task in tasks:
        await backend.tasks.add(task)
    lanes = await backend.tasks.lanes(TENANT, limit=100)
    assert len(lanes) == len(specs) and {*lanes} == {lane_of(TENANT, task.spec) for task in tasks}
    for task in tasks:
        assert [*await backend.tasks.ready([lane_of(TENANT, task.spec)], 10)] == [task]


async def lanes_come_in_pages(backend: Backend) -> None:
    """In order of their keys, each once, the tenant's own; a page may begin after a key that is gone."""
    store = backend.tasks
    tasks = [new_task(f"t{n}", required_capabilities=(f"c{n}",)) for n in range(7)]
    for task in (*tasks, *(evolve(task, id=TaskId(f"again-{task.id}")) for task in tasks)):
        await store.add(task)
    await store.add(new_task("other", tenant=OTHER_TENANT, agent_type="plan"))
    lanes = sorted((lane_of(TENANT, task.spec) for task in tasks), key=lambda lane: lane.key)
    assert [*await store.lanes(TENANT, limit=7)] == [*await store.lanes(TENANT, limit=100)] == lanes
    assert [*await store.lanes(TENANT, limit=0)] == []
    assert [*await store.lanes(TENANT, limit=3)] == lanes[:3]
    assert [*await store.lanes(TENANT, after=lanes[2].key, limit=3)] == lanes[3:6]
    assert [*await store.lanes(TENANT, after=lanes[6].key, limit=3)] == []
    for task in await store.ready([lanes[2]], 2):
        await store.replace(task, claimed(task))
    assert [*await store.lanes(TENANT, limit=3)] == [*lanes[:2], lanes[3]]
    assert [*await store.lanes(TENANT, after=lanes[2].key, limit=3)] == lanes[3:6]


async def due_means_at_that_very_microsecond(backend: Backend) -> None:
    """``due_at <= now``: not a microsecond before, and exactly then."""
    task = new_task(start_by=NOW + SECOND)
    await backend.tasks.add(task)
    at = NOW + SECOND
    assert await backend.tasks.next_due() == at
    assert not await backend.tasks.overdue(at - MICROSECOND, 10)
    assert [*await backend.tasks.overdue(at, 10)] == [task]
    assert [*await backend.tasks.overdue(at + MICROSECOND, 10)] == [task]


async def the_most_overdue_comes_first(backend: Backend) -> None:
    """Of all tenants, a microsecond apart, no more than the limit."""
    tasks = [
        new_task(f"t{offset}", tenant=tenant, start_by=NOW + offset * MICROSECOND)
        for offset, tenant in [(3, TENANT), (1, OTHER_TENANT), (2, TENANT), (0, OTHER_TENANT), (9, TENANT)]
    ]
    for task in tasks:
        await backend.tasks.add(task)
    late = await backend.tasks.overdue(NOW + 3 * MICROSECOND, 10)
    assert [task.id for task in late] == ["t0", "t1", "t2", "t3"]
    assert [task.id for task in await backend.tasks.overdue(NOW + SECOND, 2)] == ["t0", "t1"]
    assert await backend.tasks.next_due() == NOW


async def what_has_ended_is_never_due(backend: Backend) -> None:
    """The index of what is due lets go of it."""
    task = new_task(start_by=NOW)
    await backend.tasks.add(task)
    ended = evolve(task, state=TaskState.CANCELLED, version=2)
    await backend.tasks.replace(task, ended)
    assert not await backend.tasks.overdue(NOW + 1000 * SECOND, 10)
    assert await backend.tasks.next_due() is None


async def a_page_of_a_list_skips_and_stops(backend: Backend) -> None:
    """By codebase, states and last worker, both orders, pages without overlap."""
    store = backend.tasks
    tasks = [new_task(f"t{n}", at=NOW + n * SECOND, priority=n % 2) for n in range(7)]
    for task in tasks:
        await store.add(task)
    running = claimed(tasks[3], worker="w1")
    await store.replace(tasks[3], running)
    back = requeue(running, NOW + SECOND)
    await store.replace(running, back)
    await store.replace(tasks[4], held := claimed(tasks[4], worker="w2"))
    newest = TaskQuery(order=TaskOrder.NEWEST, limit=3)

    async def ids(query: TaskQuery) -> list[str]:
        return [task.id for task in await store.list(TENANT, query)]

    assert await ids(newest) == ["t6", "t5", "t4"]
    assert await ids(evolve(newest, after=3)) == ["t3", "t2", "t1"]
    assert await ids(evolve(newest, after=6)) == ["t0"]
    assert await ids(TaskQuery(limit=4, after=1)) == ["t3", "t5", "t0", "t2"]
    assert await ids(TaskQuery(worker=WorkerId("w1"))) == ["t3"]
    assert await ids(TaskQuery(states=frozenset({TaskState.RUNNING}))) == ["t4"]
    assert await ids(
        TaskQuery(states=frozenset({TaskState.RUNNING, TaskState.PENDING}), order=TaskOrder.NEWEST, limit=3)
    ) == [
        "t6",
        "t5",
        "t4",
    ]
    assert await ids(TaskQuery(states=frozenset())) == []
    assert await ids(TaskQuery(codebase=CodebaseId("none"))) == []
    assert await ids(TaskQuery(limit=0)) == []
    assert [*await store.held(TENANT, WorkerId("w2"))] == [held]
    assert not await store.held(TENANT, WorkerId("w1"))


QUESTIONS: Final[tuple[Example, ...]] = (
    ready_is_best_first,
    ready_is_cheap_to_bound,
    a_lane_is_there_while_it_has_a_ready_task,
    lanes_are_told_apart_by_all_of_their_members,
    lanes_come_in_pages,
    due_means_at_that_very_microsecond,
    the_most_overdue_comes_first,
    what_has_ended_is_never_due,
    a_page_of_a_list_skips_and_stops,
)
