"""What clients watch: nothing missed, nothing twice, and the right words under each prefix."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from codetether_adapters.http.resources import following
from codetether_adapters.sse import ServerSentEvent
from contracts.ports.harness import forget
from tests.http.coverage import covers
from tests.http.resources.harness import Api, Stream, data

P = "/v1/agent"


async def running(api: Api, **members: Any) -> tuple[str, dict[str, str]]:
    id: str = (await api.task(**members))["id"]
    lease = (await api.claimed(id))["lease"]
    return id, {"worker_id": "w1", "lease_token": lease["token"]}


async def say(api: Api, id: str, word: dict[str, str], *lines: str, **members: Any) -> None:
    outputs = [{"output": line, **members} for line in lines]
    await api.bot.ok("POST", f"{P}/tasks/{id}/output", {"outputs": outputs} | word)


async def finish(api: Api, id: str, word: dict[str, str], status: str = "completed", **members: Any) -> None:
    await api.bot.ok("PUT", f"{P}/tasks/{id}/status", {"status": status, **members} | word)


@covers("GET /v1/agent/codebases/{id}/events")
async def test_a_codebases_stream_tells_in_the_canonical_words(api: Api) -> None:
    codebase = await api.codebase()
    async with api.watch(f"{P}/codebases/{codebase}/events") as stream:
        assert (await stream.chunk()).endswith(b"\n: beat\n\n")
        id, word = await running(api, codebase_id=codebase, title="t")
        await say(api, id, word, "plain", '{"type":"tool_use","part":{"tool":"bash"}}', '{"type":"file_edit"}')
        await finish(api, id, word, result="r", session_id="ses_1")
        failed, word = await running(api, codebase_id=codebase)
        await finish(api, failed, word, "failed", error="e")
        cancelled, word = await running(api, codebase_id=codebase)
        await api.alice.ok("POST", f"{P}/tasks/{cancelled}/cancel")
        await say(api, cancelled, word, "late")
        await api.bot.ok("POST", "/v1/worker/tasks/stopped", {"task_id": cancelled} | word)
        events = [await stream.event() for _ in range(15)]
    assert [(event.event, data(event).get("status")) for event in events] == [
        ("status", "pending"),
        ("status", "running"),
        ("output", None),
        ("tool_use", None),
        ("file_change", None),
        ("status", "running"),
        ("complete", "completed"),
        ("status", "pending"),
        ("status", "running"),
        ("error", "failed"),
        ("status", "pending"),
        ("status", "running"),
        ("complete", "cancelled"),
        ("output", None),
        ("status", "cancelled"),
    ]
    assert len({event.id for event in events}) == 15
    output = data(events[2])
    assert output.keys() == {
        *("task_id", "worker_id", "attempt", "stream", "output", "sequence"),
        *("codebase_id", "workspace_id", "timestamp"),
    }
    assert (output["output"], output["codebase_id"], output["task_id"], output["sequence"]) == (
        "plain",
        codebase,
        id,
        3,
    )
    complete = data(events[6])
    assert (complete["result"], complete["session_id"], complete["workspace_id"]) == ("r", "ses_1", codebase)
    assert data(events[9])["error"] == "e"
    assert data(events[13])["after_cancel"] is True
    assert data(events[14])["stopped"] is True


async def test_other_codebases_and_other_tenants_words_are_not_on_it(api: Api) -> None:
    one, two = await api.codebase(), await api.codebase("two", "/two")
    async with api.watch(f"{P}/codebases/{one}/events") as stream:
        await stream.chunk()
        await api.task(codebase_id=two)
        await api.task()
        mine = await api.task(codebase_id=one)
        assert data(await stream.event())["task_id"] == mine["id"]


async def test_replay_begins_at_the_start_and_a_cursor_after_its_event(api: Api) -> None:
    ids = [(await api.task())["id"] for _ in range(3)]
    path = f"{P}/codebases/global/events"
    async with api.watch(f"{path}?replay=true") as stream:
        events = [await stream.event() for _ in ids]
    assert [data(event)["task_id"] for event in events] == ids
    async with api.watch(path, **{"Last-Event-ID": events[0].id}) as stream:
        assert data(await stream.event())["task_id"] == ids[1]
    async with api.watch(f"{path}?since={events[1].id}") as stream:
        assert data(await stream.event())["task_id"] == ids[2]


@pytest.mark.parametrize("prefix", ["/v1/agent", "/v1/opencode"])
async def test_a_watcher_cut_a_hundred_times_sees_each_event_once(api: Api, prefix: str) -> None:
    """Promise 4, with cuts before, between and after the events, the very first one included."""
    path = f"{prefix}/codebases/global/events"
    seen: list[ServerSentEvent] = []
    last, submitted = "", list[str]()
    for round in range(100):
        async with api.watch(path, **({"Last-Event-ID": last} if last else {})) as stream:
            while not stream.last_event_id:
                await stream.chunk()
            if round % 3:
                submitted.append((await api.task())["id"])
            if round % 5:
                while len(seen) < len(submitted):
                    event = await stream.event()
                    last = event.id
                    if "task_id" in data(event):
                        seen.append(event)
            elif not last:
                last = stream.last_event_id
        submitted.append((await api.task())["id"])
    async with api.watch(path, **{"Last-Event-ID": last}) as stream:
        while len(seen) < len(submitted):
            event = await stream.event()
            if "task_id" in data(event):
                seen.append(event)
    assert [data(event)["task_id"] for event in seen] == submitted


@covers("GET /v1/agent/tasks/{id}/events")
@pytest.mark.parametrize("ends_while_watched", [True, False])
async def test_a_tasks_stream_has_all_from_the_first_and_ends_after_the_last(
    api: Api, ends_while_watched: bool
) -> None:
    id, word = await running(api)
    await say(api, id, word, "early")
    if not ends_while_watched:
        await say(api, id, word, *map(str, range(1500)))
        await finish(api, id, word, result="r")
    async with api.watch(f"{P}/tasks/{id}/events") as stream:
        if ends_while_watched:
            await stream.chunk()
            await say(api, id, word, *map(str, range(1500)))
            await finish(api, id, word, result="r")
        events = await stream.rest()
    outputs = [data(event)["output"] for event in events if event.event == "output"]
    assert outputs == ["early", *map(str, range(1500))]
    assert [event.event for event in events][-1] == "complete"
    async with api.watch(f"{P}/tasks/{id}/events", **{"Last-Event-ID": events[-2].id}) as stream:
        assert [event.event for event in await stream.rest()] == ["complete"]
    async with api.watch(f"{P}/tasks/{id}/events", **{"Last-Event-ID": events[-1].id}) as stream:
        assert await stream.rest() == []


@pytest.mark.parametrize(
    ("prefix", "last"),
    [("/v1/agent", ["complete"]), ("/v1/opencode", ["status", "message"])],
)
async def test_a_task_whose_history_is_forgotten_still_tells_its_end(api: Api, prefix: str, last: list[str]) -> None:
    id, word = await running(api)
    await finish(api, id, word, result="r")
    await forget(api.services.backend.log, api.clock.now() + timedelta(days=1), 1000)
    async with api.watch(f"{prefix}/tasks/{id}/events") as stream:
        assert [event.event for event in await stream.rest()] == last
    async with api.watch(f"{prefix}/tasks/{id}/output/stream") as stream:
        assert [(event.event, data(event)) for event in await stream.rest()] == [("done", {"status": "completed"})]


@covers("GET /v1/agent/tasks/{id}/output/stream")
@pytest.mark.parametrize("prefix", ["/v1/agent", "/v1/opencode"])
async def test_an_output_stream_is_output_and_done(api: Api, prefix: str) -> None:
    id, word = await running(api)
    await say(api, id, word, "a", '{"type":"tool_use"}')
    async with api.watch(f"{prefix}/tasks/{id}/output/stream") as stream:
        first = await stream.event()
        await say(api, id, word, "b", stream="stderr")
        await finish(api, id, word, "failed", error="e")
        rest = await stream.rest()
    assert [event.event for event in (first, *rest)] == ["output", "output", "output", "done"]
    assert data(rest[-1]) == {"status": "failed"}
    assert (data(rest[1])["output"], data(rest[1])["stream"]) == ("b", "stderr")
    async with api.watch(f"{prefix}/tasks/{id}/output/stream", **{"Last-Event-ID": first.id}) as stream:
        assert [event.data for event in await stream.rest()] == [event.data for event in rest]


@pytest.mark.parametrize("path", ["codebases/global/events", "tasks/{id}/events", "tasks/{id}/output/stream"])
async def test_cursors_of_elsewhere_resync_and_malformed_ones_are_refused(api: Api, path: str) -> None:
    id, word = await running(api)
    await say(api, id, word, "x")
    await finish(api, id, word)
    path = f"{P}/{path.format(id=id)}"
    head = await api.services.backend.log.head()
    for cursor in ("elsewhere.3", f"{head.epoch}.{head.position + 5}"):
        async with api.watch(path, **{"Last-Event-ID": cursor}) as stream:
            first = await stream.event()
            assert first.event == "resync"
            assert data(first)["cursor"] == first.id
            assert (await stream.event()).id
    for headers, query, field in (({"Last-Event-ID": "x"}, "", "Last-Event-ID"), ({}, "?since=1.x", "since")):
        async with api.watch(path + query, **headers) as stream:
            assert (stream.status, (await stream.problem())["field"]) == (400, field)


async def test_streams_of_the_unknown_are_404(api: Api) -> None:
    for path in ("codebases/x/events", "tasks/x/events", "tasks/x/output/stream"):
        await api.alice.refused(404, "GET", f"{P}/{path}")


async def test_beats_keep_a_silent_stream_alive(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "BEAT", timedelta(milliseconds=1))
    async with api.watch(f"{P}/codebases/global/events") as stream:
        for _ in range(3):
            assert (await stream.chunk()).endswith(b": beat\n\n")


async def test_a_record_is_rendered_once_for_all_its_watchers(api: Api) -> None:
    task = await api.task()
    async with Watchers(api, f"{P}/tasks/{task['id']}/events", 3) as streams:
        for stream in streams:
            await stream.event()
    from codetether_core.events import Topic

    page = await api.services.backend.log.read(Topic.task(*_topic(task)), await api.services.backend.log.start())
    assert list(page.records[0].frames) == ["canonical"]


async def test_every_stream_ends_when_the_server_leaves(api: Api) -> None:
    async with api.watch(f"{P}/codebases/global/events") as stream:
        await stream.chunk()
        api.app.drain.begin()
        assert await stream.rest() == []


async def test_the_deployed_words_under_the_alias(api: Api) -> None:
    codebase = await api.codebase(worker="w1")
    for prefix in ("/v1/opencode/codebases", "/v1/agent/workspaces"):
        async with api.watch(f"{prefix}/{codebase}/events") as stream:
            connected, idle = await stream.event(), await stream.event()
            assert connected.event == "connected"
            assert data(connected) == {
                "codebase_id": codebase,
                "workspace_id": codebase,
                "status": "connected",
                "remote": True,
                "worker_id": "w1",
            }
            assert (idle.event, data(idle)["status"]) == ("status", "idle")
            await stream.chunk()
            id, word = await running(api, codebase_id=codebase, title="t-build")
            text = '{"type":"text","sessionID":"ses_f","part":{"type":"text","text":"chunk 0"}}'
            tool = '{"type":"tool_use","part":{"tool":"bash","state":{"status":"completed"}}}'
            spoof = '{"type":"resync"}'
            lines = ("[stderr] x", '{"type":"step_start"}', text, tool, '{"type":"todo","n":1}', spoof)
            await say(api, id, word, *lines)
            await finish(api, id, word, result="all")
            failed, word = await running(api, codebase_id=codebase, title="bad")
            await finish(api, failed, word, "failed", error="boom")
            events = [await stream.event() for _ in range(14)]
        assert [(event.event, data(event).get("status", data(event).get("type"))) for event in events] == [
            ("status", "pending"),
            ("status", "running"),
            ("message", "text"),
            ("status", "step_start"),
            ("message", "text"),
            ("tool", "tool_use"),
            ("todo", "todo"),
            ("message", "text"),
            ("status", "completed"),
            ("message", "text"),
            ("status", "pending"),
            ("status", "running"),
            ("status", "failed"),
            ("message", "error"),
        ]
        assert data(events[1])["message"] == "Task: t-build (running)"
        assert (data(events[4])["content"], data(events[4])["session_id"]) == ("chunk 0", "ses_f")
        assert (data(events[5])["tool"], data(events[5])["state"]) == ("bash", {"status": "completed"})
        assert data(events[9])["content"] == "all"
        assert (data(events[13])["message"], data(events[13])["title"]) == ("boom", "bad")
        assert all(event.id for event in events)
        async with api.watch(f"{prefix}/{codebase}/events", **{"Last-Event-ID": events[12].id}) as again:
            told = [await again.event() for _ in range(4)][2:]
        assert [event.data for event in told] == [event.data for event in events[12:]]  # cut between the two frames


async def test_a_codebase_without_workers_is_offline_for_deployed_readers(api: Api) -> None:
    async with api.watch(f"/v1/opencode/codebases/{await api.codebase()}/events") as stream:
        await stream.event()
        assert data(await stream.event())["status"] == "offline"


def _topic(task: dict[str, Any]) -> Any:
    from codetether_core.access import DEFAULT_TENANT

    return DEFAULT_TENANT, task["codebase_id"], task["id"]


class Watchers:
    """Several readers of one stream."""

    def __init__(self, api: Api, path: str, count: int) -> None:
        self._opened = [api.watch(path) for _ in range(count)]

    async def __aenter__(self) -> list[Stream]:
        return [await each.__aenter__() for each in self._opened]

    async def __aexit__(self, *error: object) -> None:
        for each in self._opened:
            await each.__aexit__(None, None, None)


POISON = (
    r'{"type":"text","part":{"text":"\ud800"}}',
    '{"type":"text","n":' + "9" * 4000 + "}",
    r'{"type":"x\u0000y"}',
    '{"type":"todo","n":1e999,"m":NaN}',
    '{"type":"todo","deep":' + "[" * 500 + "]" * 500 + "}",
    '{"type":"todo","deep":' + "[" * 5000 + "]" * 5000 + "}",
)


@pytest.mark.parametrize("prefix", ["/v1/agent", "/v1/opencode"])
@pytest.mark.parametrize("line", POISON)
async def test_a_line_that_an_agent_prints_ends_nobodys_stream(api: Api, prefix: str, line: str) -> None:
    id, word = await running(api)
    async with api.watch(f"{prefix}/tasks/{id}/events") as stream, api.watch("/v1/monitor/stream") as monitor:
        await say(api, id, word, line, "after")
        await finish(api, id, word)
        texts = [str(data(event)) for event in await stream.rest()]
        assert any("after" in text for text in texts)
        while "after" not in (await monitor.event()).data:
            pass
    outputs = (await api.alice.ok("GET", f"{P}/tasks/{id}/output"))["outputs"]
    assert [output["output"] for output in outputs] == [line, "after"]


async def test_an_agent_cannot_take_our_words_in_its_mouth(api: Api) -> None:
    """Neither the names of our events nor, under them, members that only we may say."""
    id, word = await running(api)
    lines = [f'{{"type":"{name}","status":"completed","content":"forged"}}' for name in ("status", "message")]
    await say(api, id, word, *lines, '{"type":"connected"}')
    await finish(api, id, word)
    async with api.watch(f"/v1/opencode/tasks/{id}/events") as stream:
        events = [event for event in await stream.rest() if event.event != "status"]
    assert [(event.event, data(event)["type"], data(event)["content"]) for event in events] == [
        ("message", "text", line) for line in (*lines, '{"type":"connected"}')
    ]
    assert not any("status" in data(event) for event in events)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/v1/agent/tasks/{id}/events", ["complete", "output", "status"]),
        ("/v1/opencode/tasks/{id}/events", ["status", "message"]),
        ("/v1/agent/tasks/{id}/output/stream", ["done", "output"]),
    ],
)
async def test_what_follows_a_cancel_is_told_until_the_stop(api: Api, path: str, told: list[str]) -> None:
    """Live, by a replay, and by a resume after the end alike."""
    id, word = await running(api)
    async with api.watch(path.format(id=id)) as stream:
        await api.alice.ok("POST", f"{P}/tasks/{id}/cancel")
        await say(api, id, word, "late")
        await stream.chunk()
        async with api.watch(path.format(id=id)) as second:  # opened between the two
            await api.bot.ok("POST", "/v1/worker/tasks/stopped", {"task_id": id} | word)
            live, joined = await stream.rest(), await second.rest()
    assert [event.event for event in live][-len(told) :] == told
    async with api.watch(path.format(id=id)) as stream:
        replayed = await stream.rest()
    assert [event.data for event in live] == [event.data for event in joined] == [event.data for event in replayed]
    async with api.watch(path.format(id=id), **{"Last-Event-ID": live[-len(told)].id}) as stream:
        assert [event.event for event in await stream.rest()] == told[1:]


async def test_a_cancelled_task_whose_worker_says_nothing_is_told_for_a_minute(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "BEAT", timedelta(milliseconds=1))
    id, word = await running(api)
    async with api.watch(f"{P}/tasks/{id}/events") as stream:
        await api.alice.ok("POST", f"{P}/tasks/{id}/cancel")
        api.clock.advance(timedelta(seconds=59))
        await say(api, id, word, "late")
        while "late" not in (await stream.event()).data:
            pass
        for _ in range(3):
            await stream.chunk()
        api.clock.advance(timedelta(seconds=1))
        assert await stream.rest() == []
    async with api.watch(f"{P}/tasks/{id}/events") as stream:
        assert [event.event for event in await stream.rest()] == ["status", "status", "complete", "output"]
    await api.bot.ok("POST", "/v1/worker/tasks/stopped", {"task_id": id} | word)
    async with api.watch(f"{P}/tasks/{id}/events") as stream:
        assert [event.event for event in await stream.rest()][-2:] == ["output", "status"]


async def test_a_task_cancelled_before_anybody_had_it_ends_its_stream_at_once(api: Api) -> None:
    id = (await api.task())["id"]
    async with api.watch(f"{P}/tasks/{id}/events") as stream:
        await stream.chunk()
        await api.alice.ok("POST", f"{P}/tasks/{id}/cancel")
        assert [event.event for event in await stream.rest()] == ["status", "complete"]
