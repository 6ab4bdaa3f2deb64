"""The contract of ``TaskStore``: a machine that drives store and model together, and the boundaries by hand."""

from __future__ import annotations

import asyncio
import unittest
from typing import Final

from attrs import evolve

from codetether_core.approvals import Approval, ApprovalKind, ApprovalState, answer
from codetether_core.errors import AlreadyExists, NotFound, VersionConflict
from codetether_core.events import READY, Topic
from codetether_core.ids import ApprovalId, ContextId, TaskId, WorkerId
from codetether_core.ports import ApprovalChange, Backend, TaskQuery
from codetether_core.tasks import Task, requeue
from contracts.ports.harness import Example, Host, OpenBackend, examples, raises
from contracts.ports.samples import (
    CODEBASE,
    MICROSECOND,
    NOW,
    OTHER_TENANT,
    SECOND,
    TENANT,
    claimed,
    new_task,
    output,
)
from contracts.ports.task_lists import LISTS
from contracts.ports.task_machine import TaskStoreMachine
from contracts.ports.task_questions import QUESTIONS

__all__ = ["boundary_examples", "task_store_contract"]


def task_store_contract(open_backend: OpenBackend) -> type[unittest.TestCase]:
    """The machine over a task store, its approvals and its log; how long it runs is Hypothesis's profile's matter."""

    class Machine(TaskStoreMachine):
        """The machine over this store."""

        def open(self) -> Host:
            return Host(open_backend)

    test_case: type[unittest.TestCase] = Machine.TestCase
    return test_case


def boundary_examples(open_backend: OpenBackend) -> type[unittest.TestCase]:
    """What a machine seldom finds: equal keys, exact moments, odd ids, many rows."""
    return examples("TaskStoreExamples", open_backend, _EXAMPLES)


async def what_was_added_comes_back_equal(backend: Backend) -> None:
    """Every member survives, moments to the microsecond."""
    task = new_task(
        "tsk_ünïcode '\";--%_\\ 🦊",
        prompt="line\nline\ttab \x00 \u2028 🦊" * 1000,
        metadata={"nested": {"list": [1, 2.5, None, True, "é"]}, "": ""},
        target_worker=WorkerId("w"),
        required_capabilities=("a", "b"),
        run_timeout=MICROSECOND * 1_234_567,
        start_by=NOW + MICROSECOND,
        retry_of=TaskId("before"),
        context=ContextId("é\n🦊"),
        priority=-(2**31),
    )
    await backend.tasks.add(task)
    assert await backend.tasks.get(TENANT, task.id) == task
    running = evolve(claimed(task), result="r\u0000", error="é", reason="x")
    await backend.tasks.replace(task, running)
    assert await backend.tasks.get(TENANT, task.id) == running
    assert [*await backend.tasks.list(TENANT, TaskQuery())] == [running]


async def a_second_add_changes_nothing(backend: Backend) -> None:
    """``AlreadyExists``, also from another tenant, and no event is written."""
    task = new_task()
    await backend.tasks.add(task, output(task, "first"))
    for again in (task, new_task(title="other"), new_task(tenant=OTHER_TENANT)):
        await raises(AlreadyExists, backend.tasks.add(again, output(again, "second")))
    assert await backend.tasks.get(TENANT, task.id) == task
    assert await backend.log.count(Topic(TENANT), ["task.output"]) == 1
    assert await backend.log.count(Topic(OTHER_TENANT), ["task.output"]) == 0
    assert [*await backend.tasks.lanes(OTHER_TENANT, limit=100)] == []


async def tenants_do_not_see_each_other(backend: Backend) -> None:
    """Another tenant's task is not found, listed, offered, counted nor swapped."""
    task = new_task()
    await backend.tasks.add(task)
    store = backend.tasks
    await raises(NotFound, store.get(OTHER_TENANT, task.id))
    assert not await store.list(OTHER_TENANT, TaskQuery())
    assert not await store.lanes(OTHER_TENANT, limit=100)
    assert not any((await store.count(OTHER_TENANT)).values())
    foreign = evolve(task, tenant=OTHER_TENANT)
    await raises(VersionConflict, store.replace(foreign, evolve(foreign, version=2)))
    assert await store.get(TENANT, task.id) == task


async def an_unknown_task_is_not_found(backend: Backend) -> None:
    """``NotFound`` to a reader, ``VersionConflict`` to a swap."""
    task = new_task()
    await raises(NotFound, backend.tasks.get(TENANT, task.id))
    await raises(VersionConflict, backend.tasks.replace(task, claimed(task), op="o"))


async def only_one_swap_of_a_version_lands(backend: Backend) -> None:
    """Of any number at once one is written, the others get ``VersionConflict`` and leave no event."""
    task = new_task()
    await backend.tasks.add(task)
    swaps = [
        backend.tasks.replace(task, claimed(task, worker=f"w{i}"), output(task, f"w{i}"), op=f"o{i}") for i in range(20)
    ]
    outcomes = await asyncio.gather(*swaps, return_exceptions=True)
    won = [i for i, outcome in enumerate(outcomes) if outcome is None]
    assert len(won) == 1
    assert all(isinstance(outcome, VersionConflict) for outcome in outcomes if outcome is not None)
    grant = (await backend.tasks.get(TENANT, task.id)).grant
    assert grant is not None and grant.worker == f"w{won[0]}"
    assert await backend.log.count(Topic(TENANT), ["task.output"]) == 1


async def a_lost_reply_is_settled_by_its_operation(backend: Backend) -> None:
    """The same operation again succeeds and writes nothing, until another has written."""
    task = new_task()
    running = claimed(task)
    await backend.tasks.add(task)
    for _ in range(3):
        await backend.tasks.replace(task, running, output(task, "once"), op="a")
    assert await backend.log.count(Topic(TENANT), ["task.output"]) == 1
    for op in ("b", ""):
        await raises(VersionConflict, backend.tasks.replace(task, running, op=op))
    back = requeue(running, NOW)
    await backend.tasks.replace(running, back, op="c")
    await raises(VersionConflict, backend.tasks.replace(task, running, op="a"))
    assert await backend.tasks.get(TENANT, task.id) == back


async def a_swap_without_an_operation_is_never_settled(backend: Backend) -> None:
    """An empty ``op`` names nothing, though the row may hold one that is empty too."""
    task = new_task()
    await backend.tasks.add(task)
    await backend.tasks.replace(task, claimed(task))
    await raises(VersionConflict, backend.tasks.replace(task, claimed(task)))


async def an_approval_is_swapped_with_its_task_or_not_at_all(backend: Backend) -> None:
    """Whichever of the versions has moved on, nothing is written: not the task, not the other approval, no event."""
    task = new_task()
    running = claimed(task)
    await backend.tasks.add(task)
    first, second = (_question(running, f"a{n}") for n in (1, 2))
    asked = evolve(running, version=running.version + 1)
    await backend.tasks.replace(task, running)
    await backend.tasks.replace(running, asked, approvals=[ApprovalChange(None, first), ApprovalChange(None, second)])
    said = answer(first, NOW, by="me", text="yes")
    later = evolve(asked, reviewed=True, version=asked.version + 1)
    stale = evolve(second, version=7)
    gone = [ApprovalChange(first, said), ApprovalChange(stale, evolve(stale, version=8))]
    await raises(VersionConflict, backend.tasks.replace(asked, later, output(task, "no"), approvals=gone))
    again = [ApprovalChange(first, said), ApprovalChange(None, second)]
    await raises(VersionConflict, backend.tasks.replace(asked, later, output(task, "no"), approvals=again))
    await raises(VersionConflict, backend.tasks.replace(running, later, approvals=[ApprovalChange(first, said)]))
    assert await backend.tasks.get(TENANT, task.id) == asked
    assert await backend.approvals.get(TENANT, first.id) == first
    assert await backend.log.count(Topic(TENANT), ["task.output"]) == 0
    await backend.tasks.replace(asked, later, approvals=[ApprovalChange(first, said)])
    assert (await backend.approvals.get(TENANT, first.id)).state is ApprovalState.ANSWERED


async def a_write_wakes_who_listens(backend: Backend) -> None:
    """The readers of the events' topics, and of ``READY`` whenever the new value may be claimed."""
    task = new_task()
    with (
        backend.notifier.listen(Topic(TENANT, READY)) as ready,
        backend.notifier.listen(Topic.task(TENANT, CODEBASE, task.id)) as own,
        backend.notifier.listen(Topic(OTHER_TENANT)) as foreign,
    ):
        await backend.tasks.add(task, output(task, "x"))
        assert await ready.wait(5 * SECOND) and await own.wait(5 * SECOND)
        running = claimed(task)
        await backend.tasks.replace(task, running, output(task, "x"))
        assert await own.wait(5 * SECOND)
        assert not await ready.wait(0 * SECOND)
        await backend.tasks.replace(running, requeue(running, NOW))
        assert await ready.wait(5 * SECOND)
        assert not await foreign.wait(0 * SECOND)


async def a_write_is_shielded_from_its_callers_cancellation(backend: Backend) -> None:
    """Once it was begun it is done whole or not at all, whenever the caller goes away; its events and bells as well."""
    for n in range(20):
        task = new_task(f"t{n}")
        await backend.tasks.add(task)
        writing = asyncio.create_task(backend.tasks.replace(task, claimed(task), output(task, "x"), op="o"))
        for _ in range(n % 5):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        # A store does one thing after the other, so this comes after whatever was under way.
        probe = new_task(f"p{n}")
        await backend.tasks.add(probe)
        landed = (await backend.tasks.get(TENANT, task.id)).version == 2
        assert await backend.log.count(Topic.task(TENANT, CODEBASE, task.id), ["task.output"]) == landed


def _question(task: Task, id: str) -> Approval:
    assert task.grant is not None
    return Approval(
        id=ApprovalId(id),
        tenant=task.tenant,
        task=task.id,
        codebase=task.spec.codebase,
        grant=task.grant.token,
        kind=ApprovalKind.QUESTION,
        prompt="?",
        created_at=NOW,
        deadline=NOW + SECOND,
    )


_EXAMPLES: Final[tuple[Example, ...]] = (
    what_was_added_comes_back_equal,
    a_second_add_changes_nothing,
    tenants_do_not_see_each_other,
    an_unknown_task_is_not_found,
    only_one_swap_of_a_version_lands,
    a_lost_reply_is_settled_by_its_operation,
    a_swap_without_an_operation_is_never_settled,
    *QUESTIONS,
    *LISTS,
    an_approval_is_swapped_with_its_task_or_not_at_all,
    a_write_wakes_who_listens,
    a_write_is_shielded_from_its_callers_cancellation,
)
