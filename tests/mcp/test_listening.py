"""A client that listens hears what changes, on whichever replica, and nothing that it may not read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from codetether_adapters import memory
from codetether_adapters.mcp.task_words import EXTENSION
from codetether_adapters.memory.log import MemoryLog
from codetether_core.services import Watching
from tests.http.harness import Peer
from tests.http.resources.harness import TOKENS, open_api
from tests.mcp.hub import RPC, Hub, answer_in, envelope, named, open_hub

LISTEN = "subscriptions/listen"
ABLE: Mapping[str, Any] = {"extensions": {EXTENSION: {}}, "elicitation": {}}


def frames(peer: Peer) -> list[Any]:
    """The messages that came so far."""
    return [json.loads(line.removeprefix(b"data: ")) for line in peer.body.splitlines() if line.startswith(b"data: ")]


def changes(peer: Peer) -> list[Any]:
    """What it was told besides that it listens."""
    return [
        (frame["method"].removeprefix("notifications/"), frame["params"].get("uri"))
        for frame in frames(peer)[1:]
        if "method" in frame
    ]


def standings(peer: Peer) -> list[Any]:
    """The tasks that it was told of, as they stood."""
    return [frame["params"] for frame in frames(peer) if frame.get("method") == "notifications/tasks"]


@asynccontextmanager
async def listening(hub: Hub, who: str = "alice", able: Any = None, **wanted: Any) -> AsyncIterator[Peer]:
    headers = {"Authorization": f"Bearer {TOKENS[who][0]}", "Content-Type": "application/json", **named(LISTEN, {})}
    peer = Peer(hub.api.app, RPC, method="POST", headers=headers | {"Host": "server"})
    peer.say(json.dumps(envelope(LISTEN, {"notifications": wanted}, id="s", capabilities=able)).encode())
    await peer.until(lambda peer: bool(frames(peer)))
    assert frames(peer)[0]["method"] == "notifications/subscriptions/acknowledged", frames(peer)
    try:
        yield peer
    finally:
        peer.leave()
        await peer.end()


async def test_a_tasks_changes_and_output_are_told_of() -> None:
    async with open_hub() as hub:
        id = (await hub.tool("create_task", codebase="global", prompt="p"))["task_id"]
        task, output = f"ct://tasks/{id}", f"ct://tasks/{id}/output"
        async with listening(hub, resourceSubscriptions=[task, output, "ct://status", "odd"]) as peer:
            assert frames(peer)[0]["params"]["notifications"] == {"resourceSubscriptions": [task, output]}
            run = await hub.claim()
            await peer.until(lambda peer: ("resources/updated", task) in changes(peer))
            await run.say("line")
            await peer.until(lambda peer: ("resources/updated", output) in changes(peer))
            assert {frame["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] for frame in frames(peer)} == {
                "s"
            }


async def test_a_new_task_is_told_of_to_who_sees_it() -> None:
    async with (
        open_hub() as hub,
        listening(hub, "ann", resourcesListChanged=True) as ann,
        listening(hub, "ben", resourcesListChanged=True) as ben,
    ):
        await hub.tool("create_task", "ann", codebase="global", prompt="p")
        await ann.until(lambda peer: changes(peer) == [("resources/list_changed", None)])
        await hub.tool("create_task", "ben", codebase="global", prompt="p")
        await ben.until(lambda peer: bool(changes(peer)))
        assert len(changes(ann)) == len(changes(ben)) == 1


async def test_of_anothers_task_nobody_is_told() -> None:
    async with open_hub() as hub:
        id = (await hub.tool("create_task", "ann", codebase="global", prompt="p"))["task_id"]
        async with listening(hub, "ben", resourceSubscriptions=[f"ct://tasks/{id}"]) as peer:
            assert frames(peer)[0]["params"]["notifications"] == {}


async def test_who_waits_for_a_task_hears_how_it_stands_whenever_that_changes() -> None:
    async with open_hub() as hub:
        id = (await hub.tool("create_task", codebase="global", prompt="p"))["task_id"]
        async with listening(hub, able=ABLE, taskIds=[id, "tsk_none"]) as peer:
            assert frames(peer)[0]["params"]["notifications"] == {"taskIds": [id]}
            await peer.until(lambda peer: len(standings(peer)) == 1)
            run = await hub.claim()
            await peer.until(lambda peer: standings(peer)[-1]["statusMessage"] == "running")
            question = await run.ask("Which colour?")
            await peer.until(lambda peer: standings(peer)[-1]["status"] == "input_required")
            assert [*standings(peer)[-1]["inputRequests"]] == [question]
            answer = {question: {"action": "accept", "content": {"answer": "red"}}}
            answered = {"taskId": id, "inputResponses": answer}
            assert (await hub.post("tasks/update", answered, capabilities=ABLE)).status_code == 200
            await peer.until(lambda peer: standings(peer)[-1]["status"] == "working")
            await run.say("line")
            await run.end(result="done")
            await peer.until(lambda peer: standings(peer)[-1]["status"] == "completed")
            got = answer_in(await hub.post("tasks/get", {"taskId": id}, capabilities=ABLE))["result"]
            told = standings(peer)[-1]
            assert told.pop("_meta") == {"io.modelcontextprotocol/subscriptionId": "s"}
            assert told == {name: part for name, part in got.items() if name not in ("resultType", "_meta")}
            statuses = [shown["status"] for shown in standings(peer)]
            assert statuses == ["working", "working", "input_required", "working", "completed"]


async def test_who_listens_too_late_hears_how_a_task_ended() -> None:
    async with open_hub() as hub:
        id = (await hub.tool("create_task", codebase="global", prompt="p"))["task_id"]
        await hub.tool("cancel_task", task_id=id)
        async with listening(hub, able=ABLE, taskIds=[id]) as peer:
            await peer.until(lambda peer: [each["status"] for each in standings(peer)] == ["cancelled"])


async def test_of_anothers_task_nobody_hears_how_it_stands() -> None:
    async with open_hub() as hub:
        id = (await hub.tool("create_task", "ann", codebase="global", prompt="p"))["task_id"]
        own = (await hub.tool("create_task", "ben", codebase="global", prompt="p"))["task_id"]
        async with listening(hub, "ben", ABLE, taskIds=[id, own]) as peer:
            assert frames(peer)[0]["params"]["notifications"] == {"taskIds": [own]}
            await hub.tool("cancel_task", "ann", task_id=id)
            await hub.tool("cancel_task", "ben", task_id=own)
            await peer.until(lambda peer: len(standings(peer)) == 2)
            assert {each["taskId"] for each in standings(peer)} == {own}


async def test_a_client_that_does_not_know_tasks_may_not_listen_to_them() -> None:
    async with open_hub() as hub:
        refused = await hub.post(LISTEN, {"notifications": {"taskIds": ["tsk_any"]}})
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, -32021)
        assert refused.json()["error"]["data"]["requiredCapabilities"] == {"extensions": {EXTENSION: {}}}


@pytest.mark.parametrize("odd", [{"taskIds": "tsk_any"}, {"taskIds": [1, None]}, {"taskIds": None}, {"other": 1}, {}])
async def test_who_listens_to_nothing_hears_nothing_and_costs_nothing(
    odd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_hub() as hub:
        monkeypatch.delattr(Watching, "follow")
        async with listening(hub, able=ABLE, **odd) as peer:
            assert frames(peer)[0]["params"]["notifications"] == {}
            hub.api.app.drain.begin()
            await peer.until(Peer.is_complete)
            assert "result" in frames(peer)[-1]


async def test_after_a_loss_all_is_looked_at_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was missed is not in the log any more, so nobody knows what it was."""
    async with open_hub() as hub:
        id, other = [(await hub.tool("create_task", codebase="global", prompt="p"))["task_id"] for _ in range(2)]
        wanted: Any = {
            "resourceSubscriptions": [f"ct://tasks/{id}"], "resourcesListChanged": True, "toolsListChanged": True,
        }  # fmt: skip
        async with listening(hub, able=ABLE, taskIds=[other, id], **wanted) as peer:
            await peer.until(lambda peer: len(standings(peer)) == 2)
            monkeypatch.setattr(MemoryLog, "start", MemoryLog.head)
            await hub.tool("cancel_task", task_id=id)
            await peer.until(lambda peer: len(standings(peer)) == 3)
            told = [("resources/updated", f"ct://tasks/{id}"), ("resources/list_changed", None)]
            assert [change for change in changes(peer) if change[0] != "tasks"] == told
            assert [each["status"] for each in standings(peer)] == ["working", "working", "cancelled"]


async def test_of_many_that_are_not_there_few_are_looked_for() -> None:
    async with open_hub() as hub:
        id = (await hub.tool("create_task", codebase="global", prompt="p"))["task_id"]
        strange = [f"tsk_{number}" for number in range(20)]
        async with listening(hub, able=ABLE, taskIds=[id, *strange, id], resourceSubscriptions=[]) as peer:
            assert frames(peer)[0]["params"]["notifications"] == {"taskIds": [id]}
        async with listening(hub, able=ABLE, taskIds=[*strange, id]) as peer:
            assert frames(peer)[0]["params"]["notifications"] == {}


async def test_who_goes_is_followed_no_longer_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends the stream: the client's going, or ours."""
    ended, follow = asyncio.Event(), Watching.follow

    async def watched(self: Watching, *topic: Any, **more: Any) -> AsyncIterator[Any]:
        try:
            async with aclosing(follow(self, *topic, **more)) as pages:
                async for page in pages:
                    yield page
        finally:
            ended.set()

    async with open_hub() as hub:
        monkeypatch.setattr(Watching, "follow", watched)
        async with listening(hub, resourcesListChanged=True):
            assert not ended.is_set()
        await asyncio.wait_for(ended.wait(), 10)
        ended.clear()
        async with listening(hub, resourcesListChanged=True) as peer:
            hub.api.app.drain.begin()
            await peer.until(Peer.is_complete)
            await asyncio.wait_for(ended.wait(), 10)


async def test_a_change_on_one_replica_is_heard_on_another() -> None:
    async with memory.open_backend("memory://") as backend, open_api(backend) as one, open_api(backend) as other:
        here, there = Hub(one), Hub(other)
        id = (await here.tool("create_task", codebase="global", prompt="p"))["task_id"]
        async with listening(there, resourceSubscriptions=[f"ct://tasks/{id}"]) as peer:
            await here.tool("cancel_task", task_id=id)
            await peer.until(lambda peer: ("resources/updated", f"ct://tasks/{id}") in changes(peer))


async def test_a_server_that_leaves_ends_the_stream_with_its_result() -> None:
    async with open_hub() as hub, listening(hub, resourcesListChanged=True) as peer:
        hub.api.app.drain.begin()
        await peer.until(Peer.is_complete)
        assert frames(peer)[-1]["id"] == "s"
        assert "result" in frames(peer)[-1]
        refused = await hub.post(LISTEN, {"notifications": {}})
        assert refused.status_code == 503


@asynccontextmanager
async def waiting(hub: Hub) -> AsyncIterator[tuple[Peer, str]]:
    """A client that waits for a task and has heard that it waits."""
    id = (await hub.tool("create_task", codebase="global", prompt="p"))["task_id"]
    params = {"name": "wait_task", "arguments": {"task_id": id, "timeout_seconds": 50}}
    headers = {"Authorization": "Bearer alice-token", "Content-Type": "application/json"}
    peer = Peer(hub.api.app, RPC, method="POST", headers=headers | named("tools/call", params) | {"Host": "server"})
    peer.say(json.dumps(envelope("tools/call", params, progressToken="t")).encode())
    await peer.until(lambda peer: b"notifications/progress" in peer.body)
    yield peer, id


async def test_a_wait_is_given_up_with_its_stream_and_the_task_goes_on() -> None:
    async with open_hub() as hub, waiting(hub) as (peer, id):
        peer.leave()
        await peer.end()
        assert (await hub.tool("get_task", task_id=id))["status"] == "pending"


async def test_a_wait_ends_with_what_it_knows_when_the_server_leaves() -> None:
    async with open_hub() as hub, waiting(hub) as (peer, _):
        hub.api.app.drain.begin()
        await peer.end()
        assert frames(peer)[-1]["result"]["structuredContent"]["timed_out"]
