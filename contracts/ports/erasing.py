"""The contract of erasing: what is erased is gone from every store and from the middle of the log, and stays so."""

from __future__ import annotations

import asyncio
import unittest
from typing import Any, Final

from attrs import evolve

from codetether_core.approvals import Approval, ApprovalKind, ApprovalState
from codetether_core.errors import AlreadyExists, Erased, NotFound, StaleLease, VersionConflict
from codetether_core.events import SESSION_ERASED, TASK_ERASED, Guard, OutputHead, Topic
from codetether_core.ids import ApprovalId, CodebaseId, SessionId, TenantId, WorkerId
from codetether_core.ports import ApprovalChange, Backend, SessionQuery, TaskOrder, TaskQuery
from codetether_core.sessions import Session, SessionMessage
from codetether_core.tasks import Task, cancel
from contracts.ports.event_log_pages import read_all, texts
from contracts.ports.harness import Example, OpenBackend, examples, forget, raises
from contracts.ports.samples import (
    CODEBASE,
    MICROSECOND,
    NOW,
    OTHER_TENANT,
    SECOND,
    TENANT,
    claimed,
    end_of,
    new_task,
    note,
    output,
)
from contracts.ports.webhook_store import new_webhook

__all__ = ["erasing_contract"]

_OTHER_CODEBASE: Final = CodebaseId("cb2")


def erasing_contract(open_backend: OpenBackend) -> type[unittest.TestCase]:
    """Tasks, sessions, and the log's records of both."""
    return examples("ErasingContract", open_backend, _EXAMPLES)


def new_session(id: str = "s", *, codebase: CodebaseId = CODEBASE, tenant: TenantId = TENANT, **more: Any) -> Session:
    """One that was just told."""
    told = {"created_at": NOW, "updated_at": NOW, "synced_at": NOW + MICROSECOND, **more}
    return Session(id=SessionId(id), tenant=tenant, codebase=codebase, **told)


def new_message(id: str) -> SessionMessage:
    """Something that was said in it."""
    return SessionMessage(id=id, session=SessionId("s"), role="user", created_at=NOW)


def _topic(task: Task) -> Topic:
    return Topic.task(task.tenant, task.spec.codebase, task.id)


async def _with_everything(backend: Backend, id: str, tenant: TenantId = TENANT) -> Task:
    """A task that has ended, with an approval, a webhook, output of which something is held back, and events."""
    task = new_task(id, tenant=tenant)
    await backend.tasks.add(task, output(task, f"{id} begins"))
    running = claimed(task, nonce=id)
    asked = Approval(
        id=ApprovalId(f"a-{id}"),
        tenant=tenant,
        codebase=CODEBASE,
        task=task.id,
        grant=running.fence,
        kind=ApprovalKind.PERMISSION,
        prompt=f"{id} asks",
        created_at=NOW,
        deadline=NOW,
    )
    await backend.tasks.replace(task, running, output(running, f"{id} runs"), approvals=[ApprovalChange(None, asked)])
    await backend.log.append(output(task, f"{id} says"), Guard(tenant, task.id, running.fence, 0))
    await backend.webhooks.add(new_webhook(f"w-{id}", tenant, task=task.id))
    await backend.log.append([note(Topic.webhooks(tenant, CODEBASE, task.id), f"{id} pushes")])
    ended = cancel(running, NOW + SECOND, by="somebody")
    await backend.tasks.replace(running, ended)
    return ended


async def a_removed_task_is_gone_with_all_that_belongs_to_it(backend: Backend) -> None:
    """Only at its version; what belongs to another one, of its tenant or not, stays as it was."""
    tasks, log = backend.tasks, backend.log
    gone, stays = await _with_everything(backend, "gone"), await _with_everything(backend, "stays")
    foreign = await _with_everything(backend, "foreign", OTHER_TENANT)
    start = await log.start()
    for stale in (evolve(gone, version=gone.version - 1), evolve(gone, tenant=OTHER_TENANT), new_task("never")):
        await raises(VersionConflict, tasks.remove(stale, [end_of(stale)]))
    assert await tasks.get(TENANT, gone.id) == gone
    assert len(await read_all(backend, _topic(gone), start)) == 3
    await tasks.remove(gone, [end_of(gone)])
    await raises(NotFound, tasks.get(TENANT, gone.id))
    await raises(VersionConflict, tasks.replace(gone, evolve(gone, version=gone.version + 1)))
    await raises(VersionConflict, tasks.remove(gone, [end_of(gone)]))
    await raises(StaleLease, log.append(output(gone, "late"), Guard(TENANT, gone.id, gone.fence)))
    for order in TaskOrder:
        for query in (TaskQuery(order=order), TaskQuery(order=order, codebase=CODEBASE)):
            assert [*await tasks.list(TENANT, query)] == [stays]
            assert await tasks.total(TENANT, query) == 1
    assert [*await tasks.list(TENANT, TaskQuery(worker=WorkerId("w")))] == [stays]
    assert {state: count for state, count in (await tasks.count(TENANT)).items() if count} == {stays.state: 1}
    assert [each.task for each in await backend.approvals.list(TENANT)] == [stays.id]
    assert [*await backend.approvals.list(TENANT, task=gone.id)] == []
    assert [each.task for each in await backend.approvals.list(TENANT, state=ApprovalState.OPEN)] == [stays.id]
    await raises(NotFound, backend.approvals.get(TENANT, ApprovalId("a-gone")))
    assert [each.id for each in await backend.webhooks.list(TENANT)] == ["w-stays"]
    assert [*await backend.webhooks.of_task(TENANT, CODEBASE, gone.id)] == []
    assert {each.id for each in await backend.webhooks.due(NOW, 10)} == {"w-stays", "w-foreign"}
    assert await log.output_head(TENANT, gone.id) == OutputHead()
    assert (await log.output_head(TENANT, stays.id)).following == 1
    assert await tasks.get(OTHER_TENANT, foreign.id) == foreign
    assert len(await read_all(backend, _topic(foreign), start)) == 3


async def its_events_are_gone_from_the_middle_of_the_log(backend: Backend) -> None:
    """From every topic, however they are asked for; the others keep their places, and old cursors lead on."""
    log = backend.log
    start = await log.head()
    gone = await _with_everything(backend, "gone")
    amid = await log.head()
    stays = await _with_everything(backend, "stays")
    tenants = {topic: await read_all(backend, topic, start) for topic in (Topic(TENANT), Topic(TENANT, CODEBASE))}
    await backend.tasks.remove(gone, [end_of(gone)])
    kept = ['{"text":"stays begins"}', '{"text":"stays runs"}', '{"text":"stays says"}', '{"text":"stays pushes"}']
    for topic, before in tenants.items():
        found = await read_all(backend, topic, start)
        assert texts(found) == [*kept, '{"text":""}']
        places = {(each.topic, each.number): each.position for each in before}
        assert all(places[each.topic, each.number] == each.position for each in found[:-1])
        assert (found[-1].kind, found[-1].number) == (TASK_ERASED, 4)
        assert texts(await read_all(backend, topic, amid)) == texts(found)
        assert await log.count(topic, ["task.output", "note"]) == 4
        assert texts(await log.slice(topic, ["task.output"], offset=1, limit=1)) == kept[1:2]
        assert texts(await log.latest(topic, ["task.output", "note"], 10)) == kept
    assert [each.kind for each in await read_all(backend, _topic(gone), start)] == [TASK_ERASED]
    assert await read_all(backend, Topic.webhooks(TENANT, CODEBASE, gone.id), start) == []
    assert len(await read_all(backend, _topic(stays), start)) == 3
    page = await log.oldest(NOW + SECOND, 100)
    assert texts(page.records) == [*kept, '{"text":""}']
    assert await forget(log, NOW + SECOND) == 5
    assert await read_all(backend, Topic(TENANT), await log.start()) == []


async def what_was_erased_is_not_found_by_its_words(backend: Backend) -> None:
    """Neither a task's output nor a session's title."""
    task, log, sessions = new_task(), backend.log, backend.sessions
    await backend.tasks.add(task, output(task, "find me"))
    await sessions.put(None, new_session(title="find me"))
    assert len(await log.search(TENANT, "find", ["task.output"], 10)) == 1
    assert (await sessions.list(TENANT, SessionQuery(text="find")))[1] == 1
    await backend.tasks.remove(task, [end_of(task)])
    await sessions.erase(TENANT, CODEBASE, SessionId("s"), version=1)
    assert [*await log.search(TENANT, "find", ["task.output"], 10)] == []
    assert (await sessions.list(TENANT, SessionQuery(text="find")))[1] == 0


async def a_long_log_goes_as_a_short_one(backend: Backend) -> None:
    """All of it or nothing, and of the others' nothing, however it is looked for."""
    task, log = new_task(), backend.log
    elsewhere = Topic(TENANT, CODEBASE, "other")
    start = await log.head()
    await backend.tasks.add(task)
    for n in range(5):
        await log.append(output(task, *(f"{n}.{m}" for m in range(700))))
        await log.append([note(elsewhere, f"stays {n}")])
    stale = evolve(task, version=2)
    await raises(VersionConflict, backend.tasks.remove(stale, [end_of(task)]))
    assert await log.count(_topic(task), ["task.output"]) == 3500
    await backend.tasks.remove(task, [end_of(task)])
    for topic in (_topic(task), Topic(TENANT, CODEBASE), Topic(TENANT)):
        assert await log.count(topic, ["task.output"]) == 0
        assert len(await read_all(backend, topic, start)) == 1 + 5 * (topic != _topic(task))
    assert [each.number for each in await log.latest(elsewhere, ["note"], 10)] == [1, 2, 3, 4, 5]


async def the_id_of_a_removed_task_is_not_given_again(backend: Backend) -> None:
    """An add that comes late, or again, does not bring it back."""
    task = new_task()
    await backend.tasks.add(task, output(task, "first"))
    await backend.tasks.remove(task, [end_of(task)])
    await raises(AlreadyExists, backend.tasks.add(task, output(task, "second")))
    await raises(NotFound, backend.tasks.get(TENANT, task.id))
    assert [*await backend.tasks.lanes(TENANT, limit=10)] == []
    assert await backend.tasks.next_due() is None
    other = new_task("other")
    await backend.tasks.add(other, output(other, "first"))
    assert len(await read_all(backend, _topic(other), await backend.log.start())) == 1


async def of_what_is_written_at_once_nothing_is_left_that_is_erased(backend: Backend) -> None:
    """Neither what was there, nor what comes in the same breath before the end; what comes behind it stays."""
    task, log = new_task(), backend.log
    start = await log.head()
    await log.append([*output(task, "1", "2"), end_of(task), *output(task, "3")])
    await asyncio.gather(
        *(log.append([note(Topic(TENANT, "agents", "a"), str(n))]) for n in range(20)),
        log.append([*output(task, "4"), end_of(task)]),
    )
    found = await read_all(backend, _topic(task), start)
    assert [(each.kind, each.number) for each in found] == [(TASK_ERASED, found[0].number)]
    assert len(await read_all(backend, Topic(TENANT), start)) == 21


async def an_erased_session_is_gone_for_good(backend: Backend) -> None:
    """With its messages and events, for all readers; another of that id is none, and whoever tells of it is told so."""
    sessions, log, key = backend.sessions, backend.log, (TENANT, CODEBASE, SessionId("s"))
    topic, start = Topic.session(*key), await log.head()
    session = new_session(title="find me")
    await sessions.put(None, session, [new_message("a")], [note(topic, "s", "session.synced")])
    await sessions.put(None, other := new_session("other"), [new_message("a")])
    await sessions.put(None, same := new_session(codebase=_OTHER_CODEBASE), [new_message("a")])
    end = note(topic, "gone", SESSION_ERASED)
    for version in (None, 2):
        await raises(VersionConflict, sessions.erase(*key, version=version, events=[end]))
    assert await sessions.get(*key) == session
    await sessions.erase(*key, version=1, events=[end])
    await raises(NotFound, sessions.get(*key))
    assert await sessions.messages(*key, limit=10) == ([], 0)
    assert [*(await sessions.list(TENANT, SessionQuery(codebase=CODEBASE)))[0]] == [other]
    assert [*await sessions.walk(TENANT, limit=10)] == [other, same]
    assert [(each.kind, each.number) for each in (await log.read(topic, start)).records] == [(SESSION_ERASED, 2)]
    for old in (None, session, evolve(session, version=2)):
        await raises(Erased, sessions.put(old, evolve(session, version=9), [new_message("b")], [end]))
    await sessions.erase(*key, version=None, events=[end])
    assert await sessions.messages(*key, limit=10) == ([], 0)
    assert await log.count(topic, [SESSION_ERASED]) == 1
    assert (await sessions.messages(TENANT, _OTHER_CODEBASE, session.id, limit=10))[1] == 1


async def a_session_may_be_erased_before_anybody_tells_of_it(backend: Backend) -> None:
    """In one tenant and codebase; and all that were are listed."""
    sessions = backend.sessions
    for codebase, id in ((_OTHER_CODEBASE, "a"), (CODEBASE, "b"), (CODEBASE, "a")):
        await sessions.erase(TENANT, codebase, SessionId(id), version=None)
    await raises(VersionConflict, sessions.erase(TENANT, CODEBASE, SessionId("c"), version=1))
    await raises(Erased, sessions.put(None, new_session("a")))
    await sessions.put(None, new_session("c"))
    await sessions.put(None, new_session("a", tenant=OTHER_TENANT))
    erased = [(CODEBASE, "a"), (CODEBASE, "b"), (_OTHER_CODEBASE, "a")]
    assert [*await sessions.erased(TENANT)] == erased
    assert [*await sessions.erased(OTHER_TENANT)] == []


async def erasing_and_telling_at_once_leave_no_session_behind(backend: Backend) -> None:
    """Whichever comes first: a telling either goes with the session or is refused."""
    sessions, key = backend.sessions, (TENANT, CODEBASE, SessionId("s"))

    async def tell(n: int) -> None:
        while True:
            try:
                old = await sessions.get(*key)
            except NotFound:
                old = None
            new = new_session(version=(old.version if old else 0) + 1)
            try:
                return await sessions.put(old, new, [new_message(f"m{n}")])
            except VersionConflict:
                await asyncio.sleep(0)
            except Erased:
                return None

    async def erase() -> None:
        while True:
            session = await sessions.get(*key)
            try:
                return await sessions.erase(*key, version=session.version)
            except VersionConflict:
                await asyncio.sleep(0)

    await tell(0)
    await asyncio.gather(*(tell(n) for n in range(1, 6)), erase())
    await raises(NotFound, sessions.get(*key))
    assert await sessions.messages(*key, limit=10) == ([], 0)


_EXAMPLES: Final[tuple[Example, ...]] = (
    a_removed_task_is_gone_with_all_that_belongs_to_it,
    its_events_are_gone_from_the_middle_of_the_log,
    what_was_erased_is_not_found_by_its_words,
    a_long_log_goes_as_a_short_one,
    the_id_of_a_removed_task_is_not_given_again,
    of_what_is_written_at_once_nothing_is_left_that_is_erased,
    an_erased_session_is_gone_for_good,
    a_session_may_be_erased_before_anybody_tells_of_it,
    erasing_and_telling_at_once_leave_no_session_behind,
)
