"""Lists of tasks, by everything that a store may be asked: a machine over a store and a plain list of tasks."""

from __future__ import annotations

import asyncio
import unittest
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from codetether_core.errors import Conflict
from codetether_core.ids import CodebaseId, ContextId, TaskId, TenantId, WorkerId
from codetether_core.ports import Backend, TaskOrder, TaskQuery
from codetether_core.tasks import Task, TaskState, cancel, requeue
from contracts.ports.harness import Example, Host, OpenBackend
from contracts.ports.samples import CODEBASE, MICROSECOND, NOW, OTHER_TENANT, SECOND, TENANT, claimed, new_task

__all__ = ["LISTS", "task_lists_contract"]

_CODEBASES: Final = st.sampled_from([CodebaseId("cb1"), CodebaseId("cb2")])
_CONTEXTS: Final = st.sampled_from([None, ContextId("ctx"), ContextId("cb1"), ContextId("")])
_CREATORS: Final = st.sampled_from(["ann", "bob", ""])
_WORKERS: Final = st.sampled_from([WorkerId("w1"), WorkerId("w2")])
_TENANTS: Final = st.sampled_from([TENANT, TENANT, OTHER_TENANT])
_STATES: Final = st.frozensets(
    st.sampled_from([TaskState.PENDING, TaskState.RUNNING, TaskState.CANCELLED, TaskState.FAILED])
)
_OFFSETS: Final = st.integers(-1, 1)
_CONDITIONS: Final = st.fixed_dictionaries(
    {"order": st.sampled_from(TaskOrder), "limit": st.sampled_from([1, 2, 3, 100]), "after": st.integers(0, 3)},
    optional={
        "states": _STATES,
        "codebase": _CODEBASES,
        "context": _CONTEXTS,
        "created_by": _CREATORS,
        "worker": _WORKERS,
    },
)


def task_lists_contract(open_backend: OpenBackend) -> type[unittest.TestCase]:
    """The machine over a task store."""

    class Machine(_Lists):
        """The machine over this store."""

        def open(self) -> Host:
            return Host(open_backend)

    test_case: type[unittest.TestCase] = Machine.TestCase
    return test_case


class _Lists(RuleBasedStateMachine):
    """Tasks come, change and are listed; moments are so near to each other that many are equal."""

    def __init__(self) -> None:
        super().__init__()
        self.host = self.open()
        self.now = NOW
        self.tasks: dict[TaskId, Task] = {}

    def open(self) -> Host:
        """A new store for a run."""
        raise NotImplementedError

    def teardown(self) -> None:
        """Close the store."""
        self.host.close()

    @rule(
        tenant=_TENANTS,
        codebase=_CODEBASES,
        context=_CONTEXTS,
        by=_CREATORS,
        priority=st.integers(0, 1),
        pause=_OFFSETS,
    )
    def submit(
        self, tenant: TenantId, codebase: CodebaseId, context: ContextId | None, by: str, priority: int, pause: int
    ) -> None:
        self.now += max(pause, 0) * MICROSECOND
        id = f"t{len(self.tasks) * 7 % 10}{len(self.tasks)}"
        task = new_task(id, tenant=tenant, at=self.now, by=by, codebase=codebase, context=context, priority=priority)
        self.host.run(self.host.backend.tasks.add(task))
        self.tasks[task.id] = task

    @rule(which=st.integers(0, 9), pause=_OFFSETS, worker=_WORKERS, way=st.sampled_from(["claim", "requeue", "cancel"]))
    def change(self, which: int, pause: int, worker: WorkerId, way: str) -> None:
        if not self.tasks:
            return
        self.now += max(pause, 0) * MICROSECOND
        verbs: dict[str, Callable[[Task], Task]] = {
            "claim": lambda task: claimed(task, worker=worker, at=self.now),
            "requeue": lambda task: requeue(task, self.now),
            "cancel": lambda task: cancel(task, self.now, by="somebody"),
        }
        old = [*self.tasks.values()][which % len(self.tasks)]
        try:
            new = verbs[way](old)
        except Conflict:
            return
        self.host.run(self.host.backend.tasks.replace(old, new))
        self.tasks[new.id] = new

    @rule(
        tenant=_TENANTS,
        conditions=_CONDITIONS,
        since=st.none() | st.tuples(st.integers(0, 9), _OFFSETS),
        beyond=st.none() | st.tuples(st.integers(0, 9), _OFFSETS),
    )
    def ask(
        self,
        tenant: TenantId,
        conditions: dict[str, Any],
        since: tuple[int, int] | None,
        beyond: tuple[int, int] | None,
    ) -> None:
        if since:
            conditions["since"], _ = self._place(*since)
        if beyond and conditions["order"] is not TaskOrder.PRIORITY:
            conditions["beyond"] = self._place(*beyond)
        query = TaskQuery(**conditions)
        expected = _matching([task for task in self.tasks.values() if task.tenant == tenant], query)
        store = self.host.backend.tasks
        assert self.host.run(store.total(tenant, query)) == len(expected)
        page = self.host.run(store.list(tenant, query))
        assert [*page] == _behind(expected, query)[query.after : query.after + query.limit]

    def _place(self, which: int, offset: int) -> tuple[datetime, TaskId]:
        if not self.tasks:
            return self.now, TaskId("t")
        task = [*self.tasks.values()][which % len(self.tasks)]
        return task.since + offset * MICROSECOND, task.id


def _matching(tasks: Sequence[Task], query: TaskQuery) -> Sequence[Task]:
    """What is asked for, as it is said in ``TaskQuery``, in order."""
    asked: list[tuple[object, Callable[[Task], object]]] = [
        (query.codebase, lambda task: task.spec.codebase),
        (query.context, lambda task: task.spec.context),
        (query.created_by, lambda task: task.created_by),
        (query.worker, lambda task: task.grant and task.grant.worker),
    ]
    found = [
        task
        for task in tasks
        if all(wanted is None or of(task) == wanted for wanted, of in asked)
        and (query.states is None or task.state in query.states)
        and (query.since is None or query.since <= task.since)
    ]
    if query.order is TaskOrder.PRIORITY:
        return sorted(found, key=lambda task: (-task.spec.priority, task.created_at, task.id))
    if query.order is TaskOrder.NEWEST:
        return sorted(found, key=lambda task: (task.created_at, task.id), reverse=True)
    return sorted(found, key=lambda task: (task.since, task.id), reverse=True)


def _behind(tasks: Sequence[Task], query: TaskQuery) -> Sequence[Task]:
    def place(task: Task) -> tuple[datetime, TaskId]:
        return task.since if query.order is TaskOrder.CHANGED else task.created_at, task.id

    return [task for task in tasks if query.beyond is None or place(task) < query.beyond]


async def what_has_changed_last_comes_first(backend: Backend) -> None:
    """By the moment of the state, then the id; what leaves the state as it is leaves the place as it is."""
    store = backend.tasks
    tasks = [new_task(f"t{n}", at=NOW + n * SECOND) for n in range(4)]
    for task in tasks:
        await store.add(task)
    running = claimed(tasks[0], at=NOW + 9 * SECOND)
    await store.replace(tasks[0], running)
    also = claimed(tasks[2], at=NOW + 9 * SECOND)
    await store.replace(tasks[2], also)
    renewed = evolve(also, updated_at=NOW + 99 * SECOND, version=also.version + 1)
    await store.replace(also, renewed)
    assert await _ids(backend, TaskQuery(order=TaskOrder.CHANGED)) == ["t2", "t0", "t3", "t1"]
    back = requeue(running, NOW + 10 * SECOND)
    await store.replace(running, back)
    assert await _ids(backend, TaskQuery(order=TaskOrder.CHANGED)) == ["t0", "t2", "t3", "t1"]
    assert (await store.get(TENANT, TaskId("t0"))).since == NOW + 10 * SECOND


async def a_state_may_begin_anew_within_one_change(backend: Backend) -> None:
    """The place is that of the new value, though its state is the same."""
    store = backend.tasks
    task = new_task("t1")
    await store.add(task)
    await store.add(new_task("t2", at=NOW + SECOND))
    await store.replace(task, evolve(task, since=NOW + 2 * SECOND, version=2))
    assert await _ids(backend, TaskQuery(order=TaskOrder.CHANGED)) == ["t1", "t2"]
    assert await _ids(backend, TaskQuery(order=TaskOrder.CHANGED, since=NOW + 2 * SECOND)) == ["t1"]


async def a_list_is_gone_on_with_behind_a_place(backend: Backend) -> None:
    """Without gap or repetition, also where the task of that place has moved to the front meanwhile."""
    store = backend.tasks
    tasks = [new_task(f"t{n}", at=NOW + n // 2 * MICROSECOND, context=ContextId("c")) for n in range(6)]
    for task in tasks:
        await store.add(task)
    query = TaskQuery(order=TaskOrder.CHANGED, context=ContextId("c"), limit=2)
    assert await _ids(backend, query) == ["t5", "t4"]
    await store.replace(tasks[4], claimed(tasks[4], at=NOW + SECOND))
    behind = evolve(query, beyond=(tasks[4].since, tasks[4].id))
    assert await _ids(backend, behind) == ["t3", "t2"]
    assert await _ids(backend, evolve(behind, after=2)) == ["t1", "t0"]
    assert await _ids(backend, evolve(query, beyond=(tasks[0].since, tasks[0].id))) == []
    assert await store.total(TENANT, behind) == 6
    newest = TaskQuery(order=TaskOrder.NEWEST, limit=2)
    assert await _ids(backend, newest) == ["t5", "t4"]
    for narrowed in (newest, evolve(newest, codebase=CODEBASE), evolve(newest, context=ContextId("c"))):
        assert await _ids(backend, evolve(narrowed, beyond=(tasks[4].created_at, tasks[4].id))) == ["t3", "t2"]


async def since_means_from_that_very_microsecond(backend: Backend) -> None:
    """In each of the orders."""
    for n in range(3):
        await backend.tasks.add(new_task(f"t{n}", at=NOW + n * MICROSECOND))
    for order in TaskOrder:
        query = TaskQuery(order=order, since=NOW + MICROSECOND)
        assert sorted(await _ids(backend, query)) == ["t1", "t2"]
        assert await backend.tasks.total(TENANT, query) == 2


async def contexts_and_creators_have_lists_of_their_own(backend: Backend) -> None:
    """By the very same text, within a tenant, whatever the codebase."""
    store = backend.tasks
    names = ["c", "C", "c ", "ünïcode '\";--%_\\ 🦊", "c:1"]
    for n, name in enumerate(names):
        codebase = CodebaseId(f"cb{n % 2}")
        await store.add(new_task(f"t{n}", codebase=codebase, context=ContextId(name), by=f"by {name}"))
    await store.add(new_task("other", tenant=OTHER_TENANT, context=ContextId("c"), by="by c"))
    await store.add(new_task("none"))
    for order in TaskOrder:
        for n, name in enumerate(names):
            for query in (
                TaskQuery(context=ContextId(name), order=order),
                TaskQuery(created_by=f"by {name}", order=order),
            ):
                assert await _ids(backend, query) == [f"t{n}"]
                assert await store.total(TENANT, query) == 1
                assert await _ids(backend, evolve(query, codebase=CodebaseId(f"cb{(n + 1) % 2}"))) == []


async def conditions_that_no_index_knows_together_hold_down_a_long_list(backend: Backend) -> None:
    """Each task once, in order, on pages of any length."""
    store = backend.tasks
    tasks = [
        new_task(f"t{n:03}", at=NOW + n // 3 * MICROSECOND, context=ContextId("c"), by=f"{n % 2}", priority=n % 5)
        for n in range(250)
    ]
    await asyncio.gather(*(store.add(task) for task in tasks))
    changed = TaskQuery(order=TaskOrder.CHANGED, context=ContextId("c"), created_by="1", limit=500)
    for order in TaskOrder:
        query = evolve(changed, order=order)
        expected = [task.id for task in _matching(tasks, query)]
        assert len(expected) == await store.total(TENANT, query) == 125
        assert await _ids(backend, query) == expected
        assert await _ids(backend, evolve(query, after=60, limit=7)) == expected[60:67]
    latest = _matching(tasks, changed)
    behind = evolve(changed, beyond=(latest[99].since, latest[99].id))
    assert await _ids(backend, behind) == [task.id for task in latest[100:]]


async def _ids(backend: Backend, query: TaskQuery) -> list[str]:
    return [task.id for task in await backend.tasks.list(TENANT, query)]


LISTS: Final[tuple[Example, ...]] = (
    what_has_changed_last_comes_first,
    a_state_may_begin_anew_within_one_change,
    a_list_is_gone_on_with_behind_a_place,
    since_means_from_that_very_microsecond,
    contexts_and_creators_have_lists_of_their_own,
    conditions_that_no_index_knows_together_hold_down_a_long_list,
)
