"""Event streams: frames as they come, a client's going noticed at once, and a clean end when we leave (promise 6)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from attrs import define, field
from starlette.types import Message
from structlog.testing import capture_logs

from codetether_adapters import sse
from codetether_adapters.http import Application, Call, Drain, EventStream, Route, streams
from codetether_core.access import PUBLIC
from codetether_core.events import Cursor
from tests.http.harness import Peer, application, client_of


@define
class Source:
    """Yields what is put into it, and knows whether it was closed."""

    frames: asyncio.Queue[bytes | Exception | None] = field(factory=asyncio.Queue)
    closed: bool = False

    def put(self, *frames: bytes | Exception | None) -> "Source":
        for frame in frames:
            self.frames.put_nowait(frame)
        return self

    async def __call__(self) -> AsyncIterator[bytes]:
        try:
            while (frame := await self.frames.get()) is not None:
                if isinstance(frame, Exception):
                    raise frame
                yield frame
        finally:
            await asyncio.sleep(0)  # closing may take a while
            self.closed = True


def app_of(source: Source, farewell: bytes = b"") -> Application:
    async def handler(call: Call) -> EventStream:
        return call.stream(source(), farewell=farewell)

    return application(Route("GET", "/", handler, PUBLIC))


async def opened(app: Application) -> Peer:
    """A peer that has seen the head of the answer."""
    peer = Peer(app)
    peer.say()
    await peer.until(lambda peer: len(peer.sent) >= 2)
    return peer


# --------------------------------------------------------------------------------------------- going well


async def test_the_head_goes_out_before_there_is_anything_to_say() -> None:
    peer = await opened(app_of(Source()))
    assert peer.status == 200
    assert peer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert peer.headers["cache-control"] == "no-cache, no-store"
    assert peer.headers["x-accel-buffering"] == "no"
    assert "x-request-id" in peer.headers
    peer.leave()
    await peer.end()


async def test_frames_go_out_one_by_one_as_they_come() -> None:
    source = Source()
    peer = await opened(app_of(source))
    for frame in (sse.encode(b"1"), sse.comment(), sse.encode(b"2")):
        source.put(frame)
        await peer.until(lambda peer, frame=frame: peer.sent[-1]["body"] == frame)  # type: ignore[misc]
    assert not peer.is_complete()
    source.put(None)
    await peer.end()
    assert peer.is_complete()
    assert peer.body == b"data: 1\n\n: \n\ndata: 2\n\n"
    assert source.closed


async def test_an_http_client_reads_a_stream_to_its_end() -> None:
    source = Source().put(b"data: 1\n\n", None)
    async with client_of(app_of(source)) as client:
        assert (await client.get("/")).text == "data: 1\n\n"


async def test_head_of_a_stream_does_not_wait_for_it() -> None:
    source = Source()
    peer = Peer(app_of(source), method="HEAD")
    await peer.end()
    assert (peer.status, peer.body, peer.is_complete()) == (200, b"", True)
    assert peer.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize(
    ("headers", "query", "since"),
    [
        ({}, "", None),
        ({"Last-Event-ID": "e.7"}, "", Cursor("e", 7)),
        ({"Last-Event-ID": "e.7"}, "?since=e.9", Cursor("e", 7)),
        ({"Last-Event-ID": ""}, "?since=e.9", Cursor("e", 9)),
        ({}, "?since=", None),
    ],
)
async def test_where_a_reader_goes_on(headers: dict[str, str], query: str, since: Cursor | None) -> None:
    seen: list[Cursor | None] = []

    async def handler(call: Call) -> EventStream:
        seen.append(call.since)
        return call.stream(Source().put(None)())

    async with client_of(application(Route("GET", "/", handler, PUBLIC))) as client:
        assert (await client.get(f"/{query}", headers=headers)).status_code == 200
        assert seen == [since]
        refused = await client.get("/?since=nonsense")
        assert (refused.status_code, refused.json()["field"]) == (400, "since")
        refused = await client.get("/", headers={"Last-Event-ID": "nonsense"})
        assert (refused.status_code, refused.json()["field"]) == (400, "Last-Event-ID")


# ----------------------------------------------------------------------------------------- the client goes


async def test_a_client_that_goes_ends_a_silent_stream_at_once() -> None:
    """Not at the next beat: a worker that is gone must not be offered another task."""
    source = Source()
    app = app_of(source)
    peer = await opened(app)
    peer.leave()
    await peer.end()
    assert source.closed
    assert not peer.is_complete()
    assert app.drain.open == 0


async def test_a_client_that_goes_while_it_is_sent_to_ends_the_stream() -> None:
    source = Source()
    peer = await opened(app_of(source))
    peer.reading.clear()
    source.put(b"data: 1\n\n")
    await peer.until(lambda peer: peer.body != b"")
    peer.leave()
    await peer.end()
    assert source.closed


async def test_a_client_that_is_gone_already_is_noticed() -> None:
    source = Source()
    peer = Peer(app_of(source))
    peer.leave()
    await peer.end()
    assert app_of(source).drain.open == 0


async def test_the_source_may_be_made_of_others() -> None:
    inner = Source()

    async def outer() -> AsyncIterator[bytes]:
        frames = inner()
        async with aclosing(frames):  # type: ignore[type-var]
            async for frame in frames:
                yield frame

    async def handler(call: Call) -> EventStream:
        return call.stream(outer())

    peer = await opened(application(Route("GET", "/", handler, PUBLIC)))
    peer.leave()
    await peer.end()
    assert inner.closed


async def test_a_cancellation_from_elsewhere_is_passed_on() -> None:
    source = Source()
    peer = await opened(app_of(source))
    peer.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await peer.task
    assert source.closed


async def test_the_task_that_served_a_cut_stream_can_be_used_again() -> None:
    """Servers may serve the next request of a connection in the same task: no cancellation may stay behind."""
    source = Source()
    incoming: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    incoming.put_nowait({"type": "http.disconnect"})
    sent = []

    async def send(message: object) -> None:
        sent.append(message)

    await EventStream(source())({"type": "http", "method": "GET"}, incoming.get, send)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_a_stream_that_ended_leaves_nothing_behind() -> None:
    """Neither the task that listened for the client's going, nor a cancellation on its way to the next request."""

    async def send(message: Message) -> None: ...

    before = asyncio.all_tasks()
    await EventStream(Source().put(None)())({"type": "http", "method": "GET"}, asyncio.Queue[Message]().get, send)
    for _ in range(3):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


# -------------------------------------------------------------------------------------------- the source fails


async def test_a_source_that_fails_cuts_the_stream_off() -> None:
    """The reader comes back with its cursor; a proper end would look as if there were no more."""
    source = Source().put(b"data: 1\n\n", RuntimeError("hunter2"))
    with capture_logs() as logs:
        peer = await opened(app_of(source))
        await peer.end()
    assert peer.body == b"data: 1\n\n"
    assert not peer.is_complete()
    assert source.closed
    assert len(logs) == 1
    assert "hunter2" not in repr(logs)


# ------------------------------------------------------------------------------------------------ we leave


async def test_leaving_ends_every_stream_properly() -> None:
    source, other = Source(), Source()
    app = app_of(source)
    peers = [await opened(app), await opened(app)]
    unconcerned = await opened(app_of(other))
    assert app.drain.open == 2
    app.drain.begin()
    app.drain.begin()
    for peer in peers:
        await peer.end()
        assert peer.is_complete()
        assert peer.body == b""
    assert source.closed
    assert app.drain.open == 0
    assert not unconcerned.task.done()
    unconcerned.leave()
    await unconcerned.end()


async def test_a_farewell_is_said_to_whom_it_was_promised() -> None:
    farewell = sse.encode(b"{}", event="drain")
    source = Source().put(b"data: 1\n\n")
    app = app_of(source, farewell)
    peer = await opened(app)
    await peer.until(lambda peer: peer.body != b"")
    app.drain.begin()
    await peer.end()
    assert (peer.body, peer.is_complete()) == (b"data: 1\n\n" + farewell, True)


async def test_no_farewell_where_the_source_ends_by_itself() -> None:
    peer = await opened(app_of(Source().put(None), sse.encode(b"{}", event="drain")))
    await peer.end()
    assert (peer.body, peer.is_complete()) == (b"", True)


async def test_a_frame_that_is_being_sent_is_sent_before_we_leave() -> None:
    source = Source()
    app = app_of(source)
    peer = await opened(app)
    peer.reading.clear()
    source.put(b"data: 1\n\n", b"data: 2\n\n")
    await peer.until(lambda peer: peer.body != b"")
    app.drain.begin()
    await asyncio.sleep(0)
    assert not peer.task.done()
    peer.reading.set()
    await peer.end()
    assert (peer.body, peer.is_complete()) == (b"data: 1\n\n", True)
    assert source.closed


async def test_a_reader_that_does_not_read_cannot_keep_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_STALLED", 0.0)
    source = Source()
    app = app_of(source)
    peer = await opened(app)
    peer.reading.clear()
    source.put(b"data: 1\n\n")
    await peer.until(lambda peer: peer.body != b"")
    app.drain.begin()
    await peer.end()
    assert not peer.is_complete()
    assert source.closed


async def test_no_stream_is_opened_any_more() -> None:
    app = app_of(Source())
    app.drain.begin()
    async with client_of(app) as client:
        refused = await client.get("/")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")


def test_leaving_is_told_once_and_also_to_whoever_comes_late() -> None:
    told: list[str] = []
    drain = Drain()
    with drain.watched(lambda: told.append("early")):
        drain.begin()
        drain.begin()
    with drain.watched(lambda: told.append("late")):
        assert drain.open == 1
    assert (told, drain.open) == (["early", "late"], 0)
