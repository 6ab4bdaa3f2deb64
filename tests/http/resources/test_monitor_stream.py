"""The monitor, live: nothing missed, nothing twice."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from codetether_adapters.sse import Decoder, ServerSentEvent
from tests.http.coverage import covers
from tests.http.harness import Peer
from tests.http.resources.world import World, open_world

STREAM = "/v1/monitor/stream"


class Page:
    """A page that follows the monitor."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    @property
    def events(self) -> list[ServerSentEvent]:
        return Decoder().feed(self.peer.body)

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(event.data) for event in self.events if event.event == "message"]

    @property
    def contents(self) -> list[str]:
        return [message["content"] for message in self.messages if "content" in message]

    async def until(self, count: int) -> None:
        await self.peer.until(lambda _: len(self.events) >= count)


@asynccontextmanager
async def followed(world: World, path: str = STREAM, **headers: str) -> AsyncIterator[Page]:
    page = Page(Peer(world.app, path, headers={"Authorization": "Bearer viewer-token", **headers}))
    await page.until(1)
    yield page
    page.peer.leave()
    await page.peer.end()


@covers(f"GET {STREAM}")
async def test_a_page_hears_what_happens_in_unnamed_frames_with_ids() -> None:
    async with open_world() as world, followed(world) as page:
        assert page.peer.headers["content-type"].startswith("text/event-stream")
        assert page.messages[0]["type"] == "connected"
        await world.post("/v1/agent/tasks", prompt="fix")
        await page.until(2)
        (told,) = await world.get("/v1/monitor/messages")
        assert page.messages[1] == told
        assert page.events[1].id.endswith(f".{told['id']}")


async def test_who_registers_is_told_as_a_status_too() -> None:
    async with open_world() as world, followed(world) as page:
        await world.post("/v1/agent/agents", name="coder:1")
        await world.register("wrk-1", "one")
        await page.until(5)
        told = [json.loads(event.data) for event in page.events if event.event == "agent_status"]
        assert [(each["agent_id"], each["name"], each["status"]) for each in told] == [
            ("coder:1", "coder:1", "active"),
            ("wrk-1", "one", "active"),
        ]
        assert page.contents == ["Agent registered: coder:1", "Worker registered: one"]


async def test_a_page_that_comes_back_misses_nothing_and_sees_nothing_twice() -> None:
    async with open_world() as world:
        async with followed(world) as first:
            for number in range(3):
                await world.post("/v1/agent/tasks", prompt=str(number))
            await first.until(4)
            seen = first.events[2]  # of the three it has handled two
        await world.post("/v1/agent/tasks", prompt="meanwhile")
        async with followed(world, **{"Last-Event-ID": seen.id}) as second:
            await world.post("/v1/agent/tasks", prompt="after")
            await second.until(4)
            assert second.contents == [f"Task created: {title}" for title in ("2", "meanwhile", "after")]


async def test_a_page_cut_before_anything_happened_comes_back_to_everything() -> None:
    async with open_world() as world:
        async with followed(world) as first:
            decoder = Decoder()
            decoder.feed(first.peer.body)
            assert decoder.last_event_id
        await world.post("/v1/agent/tasks", prompt="meanwhile")
        async with followed(world, **{"Last-Event-ID": decoder.last_event_id}) as second:
            await second.until(2)
            assert second.contents == ["Task created: meanwhile"]


async def test_a_cursor_of_another_time_gives_resync_and_all_there_is() -> None:
    async with open_world() as world:
        await world.post("/v1/agent/tasks", prompt="fix")
        async with followed(world, **{"Last-Event-ID": "elsewhere.7"}) as page:
            await page.until(3)
            assert [event.event for event in page.events] == ["message", "resync", "message"]
            assert page.contents == ["Task created: fix"]


async def test_a_cursor_that_is_none_is_refused_by_name() -> None:
    async with open_world() as world:
        for given in ({"headers": {"Last-Event-ID": "what"}}, {"params": {"since": "what"}}):
            refused = await world.client.get(STREAM, **given)  # type: ignore[arg-type]
            assert (refused.status_code, refused.json()["code"]) == (400, "cursor_malformed")
            assert refused.json()["field"] in ("Last-Event-ID", "since")


async def test_a_stream_ends_properly_when_we_leave() -> None:
    async with open_world() as world, followed(world) as page:
        world.app.drain.begin()
        await page.peer.end()
        assert page.peer.is_complete()
