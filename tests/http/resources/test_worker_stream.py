"""The worker's stream, and what is known of who holds one."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from codetether_adapters.http.resources import following
from tests.http.coverage import covers
from tests.http.resources.harness import Api, Stream, data

W = "/v1/worker"
P = "/v1/agent"
OURS = {"X-Worker-Events": "cancel,drain"}


async def offered(api: Api, stream: Stream) -> str:
    """The id of the next task that the stream is offered."""
    await api.services.dispatch.offer_ready()
    event = await stream.event()
    assert event.event == "task_available"
    assert data(event)["task_id"] == data(event)["id"]
    return str(data(event)["id"])


@covers("GET /v1/worker/tasks/stream", "GET /v1/worker/connected", "GET /v1/worker/connected/{id}")
async def test_a_stream_greets_offers_whole_tasks_and_shows_as_connected(api: Api) -> None:
    codebase = await api.codebase()
    headers = {
        "X-Codebases": f"{codebase}, global",
        "X-Capabilities": "build,test",
        "X-Agents": "build",
        "X-Slots": "3",
    }
    async with api.watch(f"{W}/tasks/stream?worker_id=w1&agent_name=one", "bot", **headers) as stream:
        first = await stream.event()
        assert (stream.status, first.event) == (200, "connected")
        assert data(first).keys() == {"event", "worker_id", "agent_name", "message", "timestamp"}
        task = await api.task(codebase_id=codebase, metadata={"k": 1}, required_capabilities=["test"])
        await api.services.dispatch.offer_ready()
        event = await stream.event()
        assert (event.event, data(event)) == ("task_available", {"task_id": task["id"], **task})
        connected = await api.alice.ok("GET", f"{W}/connected")
        assert connected["count"] == 1
        one = await api.alice.ok("GET", f"{W}/connected/w1")
        assert connected["workers"] == [one]
        assert (one["agent_name"], one["slots"], one["is_busy"]) == ("one", 3, False)
        assert one["codebases"] == sorted([codebase, "global"])
        await api.claimed(task["id"])
        assert (await api.alice.ok("GET", f"{W}/connected/w1"))["current_task_id"] == task["id"]
        registered = await api.alice.ok("GET", f"{P}/workers/w1")
        assert (registered["name"], registered["status"]) == ("one", "active")
    assert (await api.alice.ok("GET", f"{W}/connected"))["count"] == 0
    await api.alice.refused(404, "GET", f"{W}/connected/w1")


async def test_only_what_the_worker_may_take_is_offered_and_not_what_it_holds(api: Api) -> None:
    codebase = await api.codebase()
    async with api.watch(f"{W}/tasks/stream", "bot", **{"X-Worker-ID": "w1", "X-Agent-Name": "one"}) as stream:
        await stream.event()
        await api.task(codebase_id=codebase, priority=9)
        await api.task(agent_type="build", target_agent_name="two", priority=9)
        ours = await api.task()
        assert await offered(api, stream) == ours["id"]


@covers("PUT /v1/worker/codebases")
async def test_new_codebases_count_at_once(api: Api) -> None:
    codebase = await api.codebase()
    task = await api.task(codebase_id=codebase)
    await api.bot.refused(404, "PUT", f"{W}/codebases?worker_id=w1", {"codebases": [codebase]})
    async with api.watch(f"{W}/tasks/stream?worker_id=w1&agent_name=one", "bot") as stream:
        await stream.event()
        answer = await api.bot.ok("PUT", f"{W}/codebases?worker_id=w1", {"codebases": [codebase]})
        assert (answer["worker_id"], answer["codebases"]) == ("w1", [codebase])
        assert await offered(api, stream) == task["id"]
    assert (await api.alice.ok("GET", f"{P}/workers/w1"))["codebases"] == [codebase]


async def test_a_beat_renews_what_is_held_without_a_token(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "BEAT", timedelta(milliseconds=1))
    id = (await api.task())["id"]
    async with api.watch(f"{W}/tasks/stream?worker_id=w1&agent_name=one", "bot") as stream:
        await stream.event()
        await api.claimed(id, lease=False)
        for _ in range(4):
            api.clock.advance(timedelta(seconds=50))
            while (event := await stream.event()).event != "heartbeat":
                pass
            event = await stream.event()  # the one before may have been on its way
            assert data(event)["worker_id"] == "w1"
            await api.alice.ok("POST", f"{P}/tasks/stuck/recover")
            assert (await api.shown(id))["status"] == "running"
        assert (await api.alice.ok("GET", f"{P}/workers/w1"))["status"] == "active"


async def test_cancel_and_drain_are_for_those_who_asked(api: Api) -> None:
    path = f"{W}/tasks/stream?agent_name=one&worker_id="
    async with api.watch(f"{path}ours", "bot", **OURS) as ours, api.watch(f"{path}deployed", "bot") as deployed:
        for stream, worker in ((ours, "ours"), (deployed, "deployed")):
            await stream.event()
            id = (await api.task())["id"]
            await api.claimed(id, worker)
            await api.alice.ok("POST", f"{P}/tasks/{id}/cancel")
        event = await ours.event()
        assert (event.event, data(event)["status"]) == ("cancel", "cancelled")
        api.app.drain.begin()
        assert [event.event for event in await ours.rest()] == ["drain"]
        assert await deployed.rest() == []
    async with api.watch(f"{path}late", "bot") as late:
        assert late.status == 503


async def test_a_requeued_task_reaches_the_same_deployed_process_by_its_poll(api: Api) -> None:
    """It ignores ids that its stream has brought before, so the stream ends and it polls (wire.md, 4.2 and 4.4)."""
    path = "/v1/worker/tasks/stream?worker_id=w1&agent_name=one"
    for at in range(120):
        await api.task(priority=9, target_worker_id="another", title=str(at))
    task = await api.task()
    async with api.watch(path, "deployed") as stream:
        await stream.event()
        assert await offered(api, stream) == task["id"]
        claim = {"task_id": task["id"]}
        await api.deployed.ok("POST", f"{W}/tasks/claim", claim, headers={"X-Worker-ID": "w1"})
        await api.alice.ok("POST", f"{P}/tasks/{task['id']}/requeue")
        await api.services.dispatch.offer_ready()
        assert await stream.rest() == []
    polled = await api.deployed.ok("GET", "/v1/opencode/tasks?status=pending")
    assert task["id"] in [each["id"] for each in polled]
    await api.deployed.ok("POST", f"{W}/tasks/claim", claim, headers={"X-Worker-ID": "w1"})
    async with api.watch(path, "deployed") as stream:
        await stream.event()
        await api.services.dispatch.offer_ready()
        assert (await api.shown(task["id"]))["status"] == "running"


async def test_a_requeued_task_reaches_our_own_worker_on_the_same_stream(api: Api) -> None:
    task = await api.task()
    async with api.watch(f"{W}/tasks/stream?worker_id=w1&agent_name=one", "bot", **OURS) as stream:
        await stream.event()
        assert await offered(api, stream) == task["id"]
        await api.claimed(task["id"])
        await api.alice.ok("POST", f"{P}/tasks/{task['id']}/requeue")
        assert await offered(api, stream) == task["id"]


async def test_ten_thousand_unmatchable_urgent_tasks_delay_nobody(api: Api) -> None:
    codebase = await api.codebase()
    for _ in range(10):
        await asyncio.gather(*(submit(api, codebase) for _ in range(1_000)))
    ours = await api.task()
    async with api.watch(f"{W}/tasks/stream?worker_id=w1&agent_name=one", "bot") as stream:
        await stream.event()
        assert await offered(api, stream) == ours["id"]
    await api.bot.ok("POST", f"{P}/workers/register", {"worker_id": "w1", "name": "one"})
    polled = await api.bot.ok("GET", f"{P}/tasks?status=pending&agent_name=one")
    assert [each["id"] for each in polled] == [ours["id"]]


async def submit(api: Api, codebase: str) -> None:
    """An urgent task, without the cost of a request."""
    from codetether_core.access import Principal
    from codetether_core.ids import CodebaseId
    from codetether_core.tasks import TaskSpec

    spec = TaskSpec(codebase=CodebaseId(codebase), title="t", prompt="p", priority=100)
    await api.services.submission.submit(Principal(name="alice"), spec)


async def test_a_hundred_idle_workers_and_one_task_are_hardly_a_race(api: Api) -> None:
    streams = []
    opened = [api.watch(f"{W}/tasks/stream?worker_id=w{at}&agent_name=w{at}", "bot") for at in range(100)]
    for each in opened:
        stream = await each.__aenter__()
        await stream.event()
        streams.append(stream)
    task = await api.task()
    await api.services.dispatch.offer_ready()
    told = [each for each in api.services.dispatch.connections if each.slot.offered]
    answers = [
        await api.bot("POST", f"{W}/tasks/claim", {"task_id": task["id"], "worker_id": each.slot.profile.worker})
        for each in told
    ]
    assert [answer.status_code for answer in answers].count(200) == 1
    assert [answer.status_code for answer in answers].count(409) <= 3
    for each in opened:
        await each.__aexit__(None, None, None)


async def test_a_worker_that_left_the_stream_without_a_name_or_is_anothers_is_refused(api: Api) -> None:
    problem = await api.bot.refused(422, "GET", f"{W}/tasks/stream?worker_id=w1")
    assert problem["field"] == "agent_name"
    await api.bot.ok("POST", f"{P}/workers/register", {"worker_id": "w1", "name": "one"})
    await api.other.refused(403, "GET", f"{W}/tasks/stream?worker_id=w1&agent_name=one")
    for slots in ("0", "x", "99999", "-1"):
        problem = await api.bot.refused(
            422, "GET", f"{W}/tasks/stream?worker_id=w1&agent_name=one", headers={"X-Slots": slots}
        )
        assert problem["field"] == "X-Slots"
    await api.alice.refused(403, "GET", f"{W}/tasks/stream?worker_id=w1&agent_name=one")
