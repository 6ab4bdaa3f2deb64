"""A copy has everything, of one moment for each task, and two stores never honour one holder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from codetether_adapters.memory.backend import open_backend
from codetether_core.access import Principal
from codetether_core.agents import Agent, SignIn
from codetether_core.approvals import ApprovalState
from codetether_core.codebases import Codebase
from codetether_core.errors import Conflict, StaleLease
from codetether_core.events import Record, Topic
from codetether_core.ids import AgentName, CodebaseId, SessionId
from codetether_core.ports import SessionQuery, TaskQuery
from codetether_core.services import Entry, Question, Services, assemble
from codetether_core.sessions import Session, SessionMessage
from codetether_core.tasks import OutputChunk, TaskState
from codetether_core.tool_servers import ToolServer
from codetether_core.webhooks import Webhook, webhook_id
from tests.http.resources.world import CountingDice, FakeClock
from tests.services.desk import TENANT, USER, Desk, open_desk
from tests.simulation import virtual_time
from tests.simulation.actors import keep_submitting, work
from tests.simulation.world import USER as SIM
from tests.simulation.world import open_world

pytestmark = pytest.mark.anyio

ROOT = Principal(name="root", roles=frozenset({"admin"}))


async def told(entries: Sequence[Entry]) -> AsyncIterator[Entry]:
    """The entries as a file gives them."""
    for entry in entries:
        yield Entry(entry.kind, json.loads(json.dumps(entry.data)))


async def copied(services: Services) -> list[Entry]:
    """A whole copy."""
    return [entry async for entry in services.archiving.copy(TENANT)]


async def everything(services: Services) -> list[Record]:
    """The whole log."""
    return [record async for page in services.watching.replay(Topic(TENANT)) for record in getattr(page, "records", ())]


async def a_used_store(desk: Desk) -> None:
    """One of each."""
    services, now = desk.services, desk.clock.now()
    codebase = Codebase(
        id=CodebaseId("cbs_1"), tenant=TENANT, name="web", path="/srv/web", registered_at=now, updated_at=now
    )
    await services.backend.codebases.add(codebase)
    agent = Agent(name=AgentName("somebody"), tenant=TENANT, principal="bot", registered_at=now, last_seen=now)
    await services.backend.directory.agents.add(agent)
    session = Session(
        id=SessionId("ses_1"), tenant=TENANT, codebase=codebase.id, created_at=now, updated_at=now, synced_at=now
    )
    said = SessionMessage(id="m1", session=session.id, role="user", created_at=now, parts=({"text": "hello"},))
    await services.conversation.upsert(USER, session, [said])
    await services.issuing.issue_key(USER, name="ci", scopes=frozenset({"tasks:read"}))
    await services.messaging.send(USER, recipient=AgentName("somebody"), body="hello")
    done, word = await desk.claimed(await desk.submitted(title="done"))
    await services.reporting.output(TENANT, word, done.id, [OutputChunk(text="fine\n")], first=0)
    await services.reporting.complete(TENANT, word, done.id, "done")
    asking, word = await desk.claimed(await desk.submitted(title="asking"))
    await services.asking.ask(TENANT, word, asking.id, Question(prompt="which?", held=False))
    waiting = await desk.submitted(title="waiting")
    webhook = Webhook(
        id=webhook_id(TENANT, waiting.spec.codebase, waiting.id, "ci"),
        tenant=TENANT,
        codebase=waiting.spec.codebase,
        task=waiting.id,
        name="ci",
        owner=USER.name,
        dialect="1.0",
        sealed="ct1.nobody.reads.this",
        created_at=now,
        updated_at=now,
        due=now,
    )
    await services.backend.webhooks.add(webhook, [])
    server = ToolServer(
        name="issues",
        tenant=TENANT,
        url="https://tools.example/mcp",
        registered_by=USER.name,
        registered_at=now,
        sign_in=SignIn(header="Authorization", prefix="Bearer ", secret="issues"),
    )
    await services.backend.tool_servers.add(server)


async def test_a_copy_of_the_copy_is_the_same() -> None:
    """Tasks, approvals, sessions, messages, codebases and the log, in another store."""
    async with open_desk() as desk, open_backend() as other:
        await a_used_store(desk)
        entries = await copied(desk.services)
        assert {entry.kind for entry in entries} >= {
            "codebase", "credential", "session", "message", "task", "tool_server", "event", "webhook"
        }  # fmt: skip
        there = assemble(other, FakeClock(), CountingDice())
        counted = await there.restoring.restore(TENANT, told(entries))
        assert sum(counted.values()) == len(entries)
        again = await copied(there)
        changed = ("task", "audit")  # grants are burnt, and the trail says that it was restored
        assert [e for e in again if e.kind not in changed] == [e for e in entries if e.kind not in changed]
        assert [r.number for r in await everything(there)] == [r.number for r in await everything(desk.services)]
        sessions, _ = await other.sessions.list(TENANT, SessionQuery())
        assert [each.id for each in sessions] == ["ses_1"]
        (open_one,) = await other.approvals.list(TENANT, state=ApprovalState.OPEN)
        await there.questions.answer(USER, open_one.id, text="left")
        states = {task.spec.title: task.state for task in await other.tasks.list(TENANT, TaskQuery())}
        assert states == {"done": TaskState.COMPLETED, "asking": TaskState.PENDING, "waiting": TaskState.PENDING}


async def test_what_is_erased_while_it_is_copied_does_not_come_back() -> None:
    """Wherever the copy stands just then, until it has the whole log; nor does what was erased before."""
    key = (CodebaseId("cbs_1"), SessionId("ses_1"))
    for step in range(1, 40):
        async with open_desk() as desk, open_backend() as other:
            await a_used_store(desk)
            (done,) = [each for each in await desk.services.backend.tasks.list(TENANT, TaskQuery()) if each.ended]
            entries: list[Entry] = []
            in_time = False
            async for entry in desk.services.archiving.copy(TENANT):
                entries.append(entry)
                if len(entries) == step:
                    in_time = entry.kind not in ("event", "erased_session", "audit")
                    await desk.services.erasing.task(USER, done.id)
                    await desk.services.erasing.session(ROOT, *key)
            there = assemble(other, FakeClock(), CountingDice())
            await there.restoring.restore(TENANT, told(entries))
            restored = [each.id for each in await other.tasks.list(TENANT, TaskQuery())]
            assert len(restored) == 2 + (done.id in restored)
            if in_time:
                assert done.id not in restored
                assert {(done.spec.codebase, done.id), key} <= {*await other.sessions.erased(TENANT)}
                assert (await other.sessions.list(TENANT, SessionQuery()))[1] == 0
                assert "fine" not in str(await everything(there))
                assert {r.kind for r in await everything(there) if r.topic == Topic.session(TENANT, *key)} <= {
                    "session.erased"
                }
    async with open_desk() as desk, open_backend() as other:
        await a_used_store(desk)
        await desk.services.erasing.session(ROOT, *key)
        there = assemble(other, FakeClock(), CountingDice())
        await there.restoring.restore(TENANT, told(await copied(desk.services)))
        assert [*await other.sessions.erased(TENANT)] == [key]
        assert (await other.sessions.list(TENANT, SessionQuery()))[1] == 0


async def test_the_holder_of_a_copied_task_is_fenced() -> None:
    """It may go on at the store that it knows; here somebody else will do the task."""
    async with open_desk() as desk, open_backend() as other:
        task, word = await desk.claimed(await desk.submitted())
        there = assemble(other, FakeClock(), CountingDice())
        await there.restoring.restore(TENANT, told(await copied(desk.services)))
        with pytest.raises(StaleLease):
            await there.reporting.renew(TENANT, word, task.id)
        assert (await other.tasks.get(TENANT, task.id)).ready
        await desk.services.reporting.renew(TENANT, word, task.id)


async def test_a_copy_goes_into_an_empty_store_only() -> None:
    """Two histories are not mixed."""
    async with open_desk() as desk:
        await desk.submitted()
        with pytest.raises(Conflict, match="not empty"):
            await desk.services.restoring.restore(TENANT, told([]))


@pytest.mark.parametrize("seed", range(3))
def test_a_copy_under_load_is_consistent_for_each_task(seed: int) -> None:
    """While workers claim, print, die and complete: every task has the events of its version, and no others."""

    async def show() -> None:
        async with open_world(seed) as world, asyncio.TaskGroup() as actors:
            going = [actors.create_task(work(world, f"w{number}")) for number in range(3)]
            going.append(actors.create_task(keep_submitting(world, 30)))
            await asyncio.sleep(timedelta(minutes=20).total_seconds())
            world.faults.on = False
            entries: list[Entry] = []
            async for entry in world.replicas[0].archiving.copy(SIM.tenant):
                entries.append(entry)
                await asyncio.sleep(world.dice.random())  # a slow disk
            for actor in going:
                actor.cancel()
        async with open_backend() as other:
            there = assemble(other, FakeClock(), CountingDice())
            await there.restoring.restore(TENANT, told(entries))
            log = await everything(there)
            for entry in entries:
                if entry.kind == "task":
                    task = entry.data["task"]
                    story = [record for record in log if record.topic.subject == task["id"]]
                    told_states = [json.loads(record.body).get("status") for record in story]
                    burnt = task["state"] == "running"
                    last = [state for state in told_states if state][-2 if burnt else -1]
                    assert last == task["state"], (task, told_states)
                    assert len(story) == entry.data["events"] + burnt

    virtual_time.run(show())
