"""Streams: the task, then what happens to it, to its end; cut anywhere, nothing is missed and nothing told twice."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from codetether_adapters.a2a.records import SEQUENCE
from codetether_adapters.sse import ServerSentEvent
from codetether_core.access import DEFAULT_TENANT
from codetether_core.events import Cursor, Topic
from codetether_core.ids import TaskId
from codetether_core.tasks import GLOBAL
from tests.a2a.hub import NEW, Hub, said
from tests.http.resources.harness import Stream, data

HELLO = {"message": {"messageId": "m", "role": "user", "parts": [{"kind": "text", "text": "hi"}]}}


def told(event: ServerSentEvent) -> Any:
    """The result of an event, which is an answer to the call."""
    body = data(event)
    assert (body["jsonrpc"], body["id"]) == ("2.0", 7)
    return body["result"]


def brief(result: Any) -> str:
    """An event of release 1.0 in a word."""
    match result:
        case {"task": task}:
            return f"task {task['status']['state'].removeprefix('TASK_STATE_').lower()}"
        case {"statusUpdate": {"status": status}}:
            said = "".join(part.get("text", "{}") for part in status.get("message", {}).get("parts", []))
            return f"{status['state'].removeprefix('TASK_STATE_').lower()} {said}".strip()
        case {"artifactUpdate": {"artifact": artifact} as update}:
            parts = "".join(str(part.get("text", part.get("raw", ""))) for part in artifact["parts"])
            return f"{artifact['artifactId']} {'+' if update.get('append') else '='} {parts}".strip()
    raise AssertionError(result)


def nothing_but(result: Any) -> Any:
    """What an event says, apart from where it stands."""
    update = next(iter(result.values())) if "kind" not in result else result
    return {name: value for name, value in update.items() if name != "metadata"}


async def rest(stream: Stream) -> list[str]:
    return [brief(told(event)) for event in await stream.rest()]


async def test_a_message_is_watched_to_its_end(hub: Hub) -> None:
    async with hub.stream("SendStreamingMessage", said()) as stream:
        first = told(await stream.event())
        assert brief(first) == "task submitted"
        run = await hub.claim()
        assert first["task"]["id"] == run.id
        await run.say("a", "b")
        await run.say("no matter", stream="stderr")
        await run.say('{"type":"tool_use","part":{"tool":"bash"}}', '{"type":"text","part":{"text":"c"}}')
        await run.leave("n", b"hi")
        await run.end(result="r")
        assert await rest(stream) == [
            "working",
            "output = a",
            "output + b",
            "working {}",
            "output + c",
            "file:n = aGk=",
            "completed r",
        ]


async def test_release_0_3_says_what_is_last(hub: Hub) -> None:
    async with hub.stream("message/stream", HELLO, id="x") as stream:
        run = await hub.claim()
        await run.say("a")
        await run.end(result="r")
        results = [data(event)["result"] for event in await stream.rest()]
    assert [result["kind"] for result in results] == ["task", "status-update", "artifact-update", "status-update"]
    assert [result.get("final") for result in results] == [None, False, None, True]
    assert results[-1]["status"]["state"] == "completed"


async def test_a_stream_that_sends_ends_with_a_question_and_a_subscription_stays(hub: Hub) -> None:
    async with hub.stream("SendStreamingMessage", said()) as sender:
        run = await hub.claim()
        async with hub.stream("SubscribeToTask", {"id": run.id}, who="eve") as watcher:
            assert brief(told(await watcher.event())) == "task working"
            await run.say("thinking")
            await run.ask("Red or blue?")
            assert await rest(sender) == [
                "task submitted",
                "working",
                "output = thinking",
                "input_required Red or blue?",
            ]
            answer = said("blue", taskId=run.id)
            async with hub.stream("SendStreamingMessage", answer) as going_on:
                assert brief(told(await going_on.event())) == "task working"
                await run.say("ok")
                await run.end(result="blue it is")
                assert await rest(going_on) == ["output = thinking", "output + ok", "completed blue it is"]
            assert await rest(watcher) == [
                "output = thinking",
                "input_required Red or blue?",
                "working",
                "output + ok",
                "completed blue it is",
            ]


async def test_who_asks_late_is_told_what_was_made_and_not_how_it_stood(hub: Hub) -> None:
    run = await hub.begin()
    await run.say("one")
    await run.leave("n", b"hi")
    await run.ask("?")
    async with hub.stream("SubscribeToTask", {"id": run.id}) as stream:
        assert brief(told(await stream.event())) == "task input_required"
        assert brief(told(await stream.event())) == "output = one"
        assert brief(told(await stream.event())) == "file:n = aGk="
        await hub.result("CancelTask", {"id": run.id})
        assert await rest(stream) == ["canceled Cancelled by alice"]


async def test_a_later_attempts_output_takes_the_place_of_an_earlier_ones(hub: Hub) -> None:
    run = await hub.begin()
    await run.say("a", "b")
    await run.give_back()
    again = await hub.claim("w2")
    async with hub.stream("SubscribeToTask", {"id": run.id}) as stream:
        await again.say("c", "d")
        await again.end(result="r")
        assert await rest(stream) == [
            "task working",
            "output = a",
            "output + b",
            "output = c",
            "output + d",
            "completed r",
        ]


@pytest.mark.parametrize("release", ["1.0", "0.3"])
async def test_a_reader_that_is_cut_after_every_event_misses_nothing_and_sees_nothing_twice(
    hub: Hub, release: str
) -> None:
    method = "SubscribeToTask" if release == "1.0" else "tasks/resubscribe"
    run = await hub.begin()
    await run.say("a")
    async with hub.stream(method, {"id": run.id}) as whole:
        await run.say("b", "c")
        await run.leave("n", b"hi")
        await run.ask("?")
        await hub.result("SendMessage", {**said("yes", taskId=run.id), "configuration": {"returnImmediately": True}})
        await run.say("d")
        await run.end(result="r")
        events = [event for event in await whole.rest() if event.data]
    assert len(events) == 9
    for at, event in enumerate(events[1:], 1):
        async with hub.stream(method, {"id": run.id}, **{"Last-Event-ID": event.id}) as stream:
            left = [told(each) for each in await stream.rest()]
            assert [nothing_but(each) for each in left] == [nothing_but(told(each)) for each in events[at + 1 :]]


async def test_who_was_cut_when_the_task_ended_is_told_the_rest(hub: Hub) -> None:
    async with hub.stream("SendStreamingMessage", said()) as stream:
        await stream.event()
        run = await hub.claim()
        await run.say("a")
        working, first = await stream.event(), await stream.event()
        assert brief(told(first)) == "output = a"
    await run.say("b")
    await run.end(result="r")
    assert (await hub.error("SubscribeToTask", {"id": run.id}))["code"] == -32004
    for event, left in ((first, ["output + b", "completed r"]), (working, ["output = a", "output + b", "completed r"])):
        async with hub.stream("SubscribeToTask", {"id": run.id}, **{"Last-Event-ID": event.id}) as stream:
            assert await rest(stream) == left


async def test_a_message_sent_again_with_its_key_goes_on_where_it_was_cut(hub: Hub) -> None:
    key = {"Idempotency-Key": "0123456789abcdef"}
    async with hub.stream("SendStreamingMessage", said(), **key) as stream:
        await stream.event()
        run = await hub.claim()
        await run.say("a")
        await stream.event()
        last = (await stream.event()).id
    await run.end(result="r")
    async with hub.stream("SendStreamingMessage", said(), **key, **{"Last-Event-ID": last}) as stream:
        assert await rest(stream) == ["completed r"]


async def test_a_message_sent_again_is_told_nothing_that_is_over(hub: Hub) -> None:
    """Nor does its stream end at a question that was answered long ago."""
    key = {"Idempotency-Key": "0123456789abcdef"}
    async with hub.stream("SendStreamingMessage", said(), **key) as stream:
        await stream.event()
        run = await hub.claim()
        await run.say("a")
        await run.ask("Which?")
    await hub.result("SendMessage", {**said("this", taskId=run.id), "configuration": {"returnImmediately": True}})
    async with hub.stream("SendStreamingMessage", said(), **key) as stream:
        assert brief(told(await stream.event())) == "task working"
        assert brief(told(await stream.event())) == "output = a"
        await run.end(result="r")
        assert await rest(stream) == ["completed r"]


async def test_an_answer_sent_again_with_its_key_goes_on_where_it_was_cut(hub: Hub) -> None:
    """Though the task asks nothing any more, or has ended; without a place, with the task as it stands."""
    key = {"Idempotency-Key": "0123456789abcdef"}
    run = await hub.begin()
    await run.ask("Which?")
    answer = said("this", taskId=run.id)
    async with hub.stream("SendStreamingMessage", answer, **key) as stream:
        await stream.event()
        await run.say("a")
        last = (await stream.event()).id
        async with hub.stream("SendStreamingMessage", answer, **key, **{"Last-Event-ID": last}) as again:
            await run.end(result="r")
            assert await rest(again) == ["completed r"]
    async with hub.stream("SendStreamingMessage", answer, **key, **{"Last-Event-ID": last}) as stream:
        assert await rest(stream) == ["completed r"]
    async with hub.stream("SendStreamingMessage", answer, **key) as stream:
        assert await rest(stream) == ["task completed"]


async def test_no_reader_decides_how_much_is_kept_of_what_was_told(hub: Hub) -> None:
    async with hub.stream("SendStreamingMessage", said()) as stream:
        await stream.event()
        run = await hub.claim()
        place = (await stream.event()).id.rpartition(".")[0]
        await run.say("a")
    await run.end(result="r")
    for printing in range(9):
        async with hub.stream("SubscribeToTask", {"id": run.id}, **{"Last-Event-ID": f"{place}.{printing}"}) as stream:
            assert await rest(stream) == [f"output {'+' if printing == 1 else '='} a", "completed r"]
    topic = Topic.task(DEFAULT_TENANT, GLOBAL, TaskId(run.id))
    page = await hub.api.services.backend.log.read(topic, Cursor.parse(place, "place"), kinds=("task.output",))
    assert len(page.records[0].frames) == 3, "two wordings, and whose output it is"


async def test_every_event_says_which_records_it_stands_for_without_a_gap(hub: Hub) -> None:
    async with hub.stream("SendStreamingMessage", said()) as stream:
        run = await hub.claim()
        await run.say("a")
        await run.say("silent", stream="stderr")
        await run.say("b")
        await run.end(result="r")
        updates = [next(iter(told(event).values())) for event in (await stream.rest())[1:]]
    spans = [update["metadata"][SEQUENCE] for update in updates]
    assert spans[0]["first"] == 1
    assert all(before["sequence"] + 1 == after["first"] for before, after in pairwise(spans))


async def test_large_files_come_in_pieces(hub: Hub) -> None:
    run = await hub.begin()
    async with hub.stream("SubscribeToTask", {"id": run.id}) as stream:
        await run.leave("big", bytes(10_000_000), "application/octet-stream")
        await run.end(result="r")
        events = await stream.rest()
    pieces = [update for event in events if (update := told(event).get("artifactUpdate"))]
    assert all(len(event.data) < 400_000 for event in events)
    assert [piece.get("append", False) for piece in pieces] == [False] + [True] * (len(pieces) - 1)
    assert [piece.get("lastChunk", False) for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert [event.id for event in events].count(events[-2].id) == 1
    task = await hub.result("GetTask", {"id": run.id})
    assert len(task["artifacts"][0]["parts"][0]["raw"]) > 13_000_000


async def test_a_task_that_has_ended_is_told_in_one_event_of_bounded_size(hub: Hub) -> None:
    key = {"Idempotency-Key": "0123456789abcdef"}
    async with hub.stream("SendStreamingMessage", said(), **key) as stream:
        await stream.event()
    run = await hub.claim()
    for _ in range(2):
        await run.say("\x01" * 500_000)
    await run.leave("big", bytes(6_000_000), "application/octet-stream")
    await run.end(result="r")
    async with hub.stream("SendStreamingMessage", said(), **key) as stream:
        (event,) = await stream.rest()
    output, file = told(event)["task"]["artifacts"]
    assert len(event.data) < 4 * 1024 * 1024
    assert (len(output["parts"][0]["text"]), output["metadata"]) == (500_000, {"truncated": True})
    assert file["parts"][0]["url"].endswith(f"/v1/agent/tasks/{run.id}/artifacts/big")


async def test_a_cursor_that_nobody_gave_is_refused(hub: Hub) -> None:
    run = await hub.begin()
    for wrong in ("x", "1.2", "a.b.c", "a.1.-1"):
        error = await hub.error("SubscribeToTask", {"id": run.id}, **{"Last-Event-ID": wrong})
        assert error["code"] == -32602
    async with hub.stream("SubscribeToTask", {"id": run.id}, **{"Last-Event-ID": "gone.7.0"}) as stream:
        assert brief(told(await stream.event())) == "task working"


async def test_a_stream_ends_when_we_leave_and_its_task_does_not(hub: Hub) -> None:
    async with hub.stream("SendStreamingMessage", said()) as stream:
        run = await hub.claim()
        hub.api.app.drain.begin()
        assert (await rest(stream))[0] == "task submitted"
    await run.end(result="r")


@pytest.mark.parametrize("path", ["/v1/a2a", "/a2a/rest/message:stream"])
async def test_who_wants_a_stream_when_we_leave_has_sent_nothing(hub: Hub, path: str) -> None:
    hub.api.app.drain.begin()
    body: Any = {"jsonrpc": "2.0", "id": 1, "method": "SendStreamingMessage", "params": said()}
    refused = await hub.api.alice("POST", path, body if path == "/v1/a2a" else said(), headers=NEW)
    assert refused.status_code == 503
    assert await hub.api.alice.ok("GET", "/v1/agent/tasks") == []


async def test_what_release_0_3_refuses_to_stream_it_says_on_a_stream(hub: Hub) -> None:
    async with hub.stream("tasks/resubscribe", {"id": "tsk_none"}) as stream:
        (event,) = await stream.rest()
    assert data(event)["error"] == {"code": -32001, "message": "Task not found"}
