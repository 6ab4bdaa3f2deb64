"""A client that listens hears what changes, on whichever replica, and nothing that it may not read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from codetether_adapters import memory
from tests.http.harness import Peer
from tests.http.resources.harness import TOKENS, open_api
from tests.mcp.hub import RPC, Hub, envelope, named, open_hub

LISTEN = "subscriptions/listen"


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


@asynccontextmanager
async def listening(hub: Hub, who: str = "alice", **wanted: Any) -> AsyncIterator[Peer]:
    headers = {"Authorization": f"Bearer {TOKENS[who][0]}", "Content-Type": "application/json", **named(LISTEN, {})}
    peer = Peer(hub.api.app, RPC, method="POST", headers=headers | {"Host": "server"})
    peer.say(json.dumps(envelope(LISTEN, {"notifications": wanted}, id="s")).encode())
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
