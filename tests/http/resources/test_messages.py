"""Messages: sent to a name or a role, waiting until acknowledged."""

import asyncio
from typing import Any

import pytest
from anyio import wait_all_tasks_blocked

from tests.http.coverage import covers
from tests.http.resources.world import World, ok, open_world

MESSAGES = "/v1/agent/messages"


async def inbox(world: World, agent: str, **query: Any) -> list[str]:
    return [message["body"] for message in (await world.get(MESSAGES, agent=agent, **query))["messages"]]


@covers(f"POST {MESSAGES}", f"GET {MESSAGES}", f"POST {MESSAGES}/{{id}}/ack")
async def test_a_message_waits_for_its_recipient_until_it_is_acknowledged() -> None:
    async with open_world() as world:
        await world.post("/v1/agent/agents", name="coder:1")
        sent = (await world.post(MESSAGES, to="coder:1", body="hello", metadata={"k": 1}))["message"]
        assert (sent["from"], sent["status"], sent["type"]) == ("admin", "queued", "agent")
        assert (await world.get(MESSAGES, agent="coder:1"))["messages"] == [sent]
        assert await inbox(world, "coder:1") == ["hello"]  # it stays
        world.clock.advance(seconds=1)
        acknowledged = (await world.post(f"{MESSAGES}/{sent['id']}/ack"))["message"]
        assert await inbox(world, "coder:1") == []
        assert acknowledged["status"] == "acknowledged"
        assert await world.post(f"{MESSAGES}/{sent['id']}/ack") == {"success": True, "message": acknowledged}
        assert (await world.get(MESSAGES))["messages"] == [acknowledged]


async def test_a_role_is_an_address_of_all_who_have_it() -> None:
    async with open_world() as world:
        for name in ("coder:1", "coder:2", "tester:1"):
            await world.post("/v1/agent/agents", name=name)
        await world.post(MESSAGES, to="coder", body="any of you")
        await world.post(MESSAGES, to="coder:2", body="you", **{"from": "boss"})
        assert await inbox(world, "coder:1") == ["any of you"]
        assert await inbox(world, "coder:2") == ["any of you", "you"]
        assert await inbox(world, "tester:1") == []
        assert [each["from"] for each in (await world.get(MESSAGES))["messages"]] == ["admin", "boss"]


async def test_a_conversation_is_read_whole_and_an_inbox_by_conversation() -> None:
    async with open_world() as world:
        await world.post("/v1/agent/agents", name="a")
        await world.post("/v1/agent/agents", name="b")
        for number, (to, conversation) in enumerate([("a", "x"), ("b", "x"), ("a", "y"), ("a", None)]):
            world.clock.advance(seconds=1)
            await world.post(MESSAGES, to=to, body=str(number), conversation_id=conversation)
        found = await world.get(MESSAGES, conversation_id="x")
        assert [each["body"] for each in found["messages"]] == ["0", "1"]
        assert await inbox(world, "a", conversation_id="y") == ["2"]
        assert await inbox(world, "a", limit=2) == ["0", "2"]


async def test_a_reader_that_waits_gets_the_first_message_that_comes() -> None:
    async with open_world() as world:
        await world.post("/v1/agent/agents", name="coder:1")
        waiting = asyncio.create_task(inbox(world, "coder:1", wait=60))
        await wait_all_tasks_blocked()
        assert not waiting.done()
        await world.post(MESSAGES, to="coder", body="at last")
        async with asyncio.timeout(5):
            assert await waiting == ["at last"]


async def test_a_reader_that_waits_does_not_hold_up_our_leaving() -> None:
    async with open_world() as world:
        await world.post("/v1/agent/agents", name="a")
        waiting = asyncio.create_task(inbox(world, "a", wait=60))
        await wait_all_tasks_blocked()
        world.app.drain.begin()
        async with asyncio.timeout(5):
            assert await waiting == []


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"to": "nobody", "body": "x"}, 404, None),
        ({"body": "x"}, 422, "to"),
        ({"to": "", "body": "x"}, 422, "to"),
        ({"to": "a"}, 422, "body"),
        ({"to": "a", "body": "x", "from": 3}, 422, "from"),
        ({"to": "a", "body": "x", "metadata": []}, 422, "metadata"),
    ],
)
async def test_what_cannot_be_sent_is_refused_and_not_kept(body: Any, status: int, field: str | None) -> None:
    async with open_world() as world:
        await world.post("/v1/agent/agents", name="a")
        refused = await world.client.post(MESSAGES, json=body)
        assert (refused.status_code, refused.json().get("field")) == (status, field)
        assert (await world.get(MESSAGES))["messages"] == []


@pytest.mark.parametrize(("name", "value"), [("wait", 61), ("wait", -1), ("limit", 0), ("limit", 501), ("agent", "")])
async def test_a_question_out_of_bounds_is_refused_by_name(name: str, value: int | str) -> None:
    async with open_world() as world:
        refused = await world.client.get(MESSAGES, params={"agent": "a", name: value})
        assert (refused.status_code, refused.json()["field"]) == (422, name)


async def test_a_viewer_reads_and_does_not_write() -> None:
    async with open_world() as world:
        await world.post("/v1/agent/agents", name="a")
        sent = (await world.post(MESSAGES, to="a", body="x"))["message"]
        assert (await world.viewer.post(MESSAGES, json={"to": "a", "body": "y"})).status_code == 403
        assert (await world.viewer.post(f"{MESSAGES}/{sent['id']}/ack")).status_code == 403
        assert len(ok(await world.viewer.get(MESSAGES))["messages"]) == 1
        assert (await world.client.post(f"{MESSAGES}/none/ack")).status_code == 404
