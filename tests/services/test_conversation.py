"""Several who tell of one session at once."""

import asyncio
from typing import Any

import pytest
from attrs import evolve

from codetether_core.access import SYSTEM
from codetether_core.events import Topic
from codetether_core.ids import CodebaseId, SessionId
from codetether_core.ports import Backend
from codetether_core.services import assemble
from codetether_core.sessions import Session, SessionMessage
from codetether_core.tasks import TaskSpec
from contracts.ports.samples import NOW, TENANT
from tests.services.conftest import Dice, FakeClock

pytestmark = pytest.mark.anyio

CODEBASE = CodebaseId("global")
ID = SessionId("ses_1")


def told(**members: Any) -> Session:
    return Session(id=ID, tenant=TENANT, codebase=CODEBASE, created_at=NOW, updated_at=NOW, synced_at=NOW, **members)


async def test_no_telling_is_lost_among_others(backend: Backend, clock: FakeClock) -> None:
    """Each leaves its details, each makes a version of its own, and messages and a resumption come in between."""
    talk = assemble(backend, clock, Dice()).conversation
    await talk.upsert(SYSTEM, told(title="t"), [])
    said = SessionMessage(id="m", session=ID, role="user", created_at=NOW)
    await asyncio.gather(
        *(talk.sync(SYSTEM, CODEBASE, [told(details={str(n): n})]) for n in range(8)),
        talk.upsert(SYSTEM, told(project="p"), [said]),
        talk.resume(SYSTEM, CODEBASE, ID, prompt="go on"),
    )
    session = await talk.get(SYSTEM, CODEBASE, ID)
    assert session.details == {str(n): n for n in range(8)}
    assert (session.title, session.project, session.version) == ("t", "p", 11)
    assert (await talk.messages(SYSTEM, CODEBASE, ID, limit=10))[1] == 2
    assert await backend.log.count(Topic.session(TENANT, CODEBASE, ID), ["session.synced"]) == 11


async def test_what_is_told_again_is_no_event(backend: Backend, clock: FakeClock) -> None:
    """Also when two tell the same at once."""
    talk = assemble(backend, clock, Dice()).conversation
    again = [told()]
    await talk.sync(SYSTEM, CODEBASE, again)
    await asyncio.gather(*(talk.sync(SYSTEM, CODEBASE, again) for _ in range(3)))
    assert await backend.log.count(Topic.session(TENANT, CODEBASE, ID), ["session.synced"]) == 1


async def test_a_session_that_goes_by_its_tasks_id_takes_no_number_of_the_task(
    backend: Backend, clock: FakeClock
) -> None:
    """A watcher of the task counts from 1 without gaps, and a run without a session is told under its task's id."""
    services = assemble(backend, clock, Dice())
    task = await services.submission.submit(SYSTEM, TaskSpec(codebase=CODEBASE, title="t", prompt="p"))
    await services.conversation.upsert(SYSTEM, evolve(told(), id=SessionId(task.id)), [])
    await services.submission.cancel(SYSTEM, task.id)
    page = await backend.log.read(Topic.task(TENANT, CODEBASE, task.id), await backend.log.start())
    assert [(record.number, record.kind) for record in page.records] == [(1, "task.created"), (2, "task.cancelled")]
