"""The captured exchanges of an unmodified 1.4.3 worker (wire.md, appendix A), replayed frame by frame.

Whatever the deployed server answered is in our answers too, under both deployed spellings of the paths; status codes
are exactly 200 where the worker insists on that.
"""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from codetether_adapters.sse import ServerSentEvent
from tests.http.resources.harness import TOKENS, Api, Caller, data

W = "/v1/worker"
BASIC = "Basic " + base64.b64encode(f"anyuser:{TOKENS['deployed'][0]}".encode()).decode()

CODEBASE = {
    *("id", "name", "path", "description", "registered_at", "agent_config", "last_triggered", "status"),
    *("opencode_port", "session_id", "watch_mode", "watch_interval", "worker_id"),
}
TASK = {
    *("id", "codebase_id", "title", "prompt", "agent_type", "model", "status", "priority", "created_at"),
    *("started_at", "completed_at", "result", "error", "session_id", "metadata"),
}
ROW = TASK | {"worker_id", "updated_at"}


@pytest.fixture(params=[("/v1/opencode", "codebases"), ("/v1/agent", "workspaces")], ids=["opencode", "workspaces"])
def spelling(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A prefix and the noun under it."""
    base, noun = request.param
    return base, f"{base}/{noun}"


async def test_the_whole_exchange(api: Api, spelling: tuple[str, str]) -> None:
    base, codebases = spelling
    worker = Caller(api.client, "deployed", {"Authorization": BASIC, "Accept": "*/*"})
    client = api.deployed

    # start-up
    body = {
        "name": "global",
        "path": "/home/dev",
        "description": "Global OpenCode sessions (not project-specific)",
        "worker_id": "wrk-0001",
    }
    answer = await worker.ok("POST", codebases, body)
    assert answer["success"] is True
    assert answer["codebase"].keys() >= CODEBASE
    home = answer["codebase"]["id"]
    assert (answer["codebase"]["status"], answer["codebase"]["worker_id"]) == ("idle", "wrk-0001")
    register = {
        "worker_id": "wrk-0001",
        "name": "w-one",
        "capabilities": ["opencode", "build", "deploy"],
        "hostname": "vm",
        "models": [],
        "global_codebase_id": home,
        "codebases": [home, "global"],
    }
    answer = await worker.ok("POST", f"{base}/workers/register", register)
    assert {name: answer["worker"][name] for name in register} == register
    assert answer["worker"]["status"] == "active"
    demo = {"name": "demo", "path": "/home/dev/demo", "description": "", "worker_id": "wrk-0001"}
    codebase = (await worker.ok("POST", codebases, demo))["codebase"]["id"]
    arguments = {
        "name": "w-one:vm:wrk-00",
        "description": "...",
        "url": "http://127.0.0.1:58100",
        "capabilities": {"streaming": True, "push_notifications": True},
    }
    rpc = {
        "jsonrpc": "2.0",
        "id": "b1f06590",
        "method": "tools/call",
        "params": {"name": "register_agent", "arguments": arguments},
    }
    answer = await worker.ok("POST", "/mcp/v1/rpc", rpc)
    assert not answer.get("error")
    answer = await worker.ok("GET", f"{base}/api-keys/sync?worker_id=wrk-0001")
    assert (answer["auth"], answer["providers"]) == ({}, {})

    # a client's echo task, from its stream to its release
    path = f"{W}/tasks/stream?worker_id=wrk-0001&agent_name=w-one"
    headers = {
        "Authorization": BASIC,
        "X-Codebases": f"{home},{codebase},global",
        "X-Capabilities": "opencode,build,deploy,test",
        "Accept": "text/event-stream",
    }
    async with api.watch(path, "deployed", **headers) as stream, api.watch(f"{codebases}/{codebase}/events") as page:
        assert stream.status == 200
        connected = await stream.event()
        assert connected.event == "connected"
        told = {"event": "connected", "worker_id": "wrk-0001", "agent_name": "w-one"}
        assert data(connected) == told | {
            "message": "Connected to task stream",
            "timestamp": data(connected)["timestamp"],
        }
        assert (await worker.ok("POST", f"{base}/workers/wrk-0001/heartbeat", content=b""))["success"] is True

        asked = {
            "title": "t-echo",
            "prompt": "hello echo",
            "agent_type": "echo",
            "priority": 3,
            "metadata": {"resume_session_id": "ses_abc", "x": 1},
            "model": "m/x",
        }
        answer = await client.ok("POST", f"{codebases}/{codebase}/tasks", asked)
        task = answer["task"]
        assert (answer["success"], task["status"], task.keys() >= TASK) == (True, "pending", True)
        assert task | asked == task
        offer = await offered(api, stream)
        assert {name: offer[name] for name in asked} == asked
        assert (offer["id"], offer["codebase_id"], offer["description"]) == (task["id"], codebase, "hello echo")
        await run(worker, base, task["id"], {"status": "completed", "result": "hello echo"})
        row = (await client.ok("GET", f"{codebases}/{codebase}/tasks"))[0]
        assert row.keys() >= ROW
        assert (row["status"], row["result"]) == ("completed", "hello echo")

        # a bare noop, and a trigger
        noop = {"title": "t-noop", "prompt": "p", "agent_type": "noop", "metadata": {"k": 2}}
        answer = await client.ok("POST", f"{base}/tasks", noop)
        assert (answer["codebase_id"], answer["status"]) == ("global", "pending")
        assert (await offered(api, stream))["id"] == answer["id"]
        await run(worker, base, answer["id"], {"status": "completed", "result": "ok"})
        trigger = {"prompt": "trigger me", "agent": "echo"}
        answer = await client.ok("POST", f"{codebases}/{codebase}/trigger", trigger)
        id = answer["session_id"]
        assert answer["message"] == f"Task queued for worker (task: {id})"
        assert (answer["success"], answer["codebase_id"], answer["agent"]) == (True, codebase, "echo")
        assert (await offered(api, stream))["id"] == id

        # a build by the fake agent
        await worker.ok("POST", f"{W}/tasks/claim", {"task_id": id}, headers={"X-Worker-ID": "wrk-0001"})
        running = {"status": "running", "worker_id": "wrk-0001"}
        await worker.ok("PUT", f"{base}/tasks/{id}/status", running)
        answer = await worker.ok("PUT", f"{base}/tasks/{id}/status", running | {"session_id": "ses_fake123"})
        assert answer["task"]["session_id"] == "ses_fake123"
        text = '{"type": "text", "sessionID": "ses_fake123", "part": {"type": "text", "text": "chunk 0"}}'
        for line in (text, "[stderr] stderr line"):
            output = {"worker_id": "wrk-0001", "output": line, "timestamp": "2026-11-22T15:00:31.942252"}
            answer = await worker.ok("POST", f"{base}/tasks/{id}/output", output)
            assert answer["success"] is True
        outcome = {"status": "failed", "worker_id": "wrk-0001", "error": "stderr line"}
        answer = await worker.ok("PUT", f"{base}/tasks/{id}/status", outcome)
        assert (answer["task"]["status"], answer["task"]["error"]) == ("failed", "stderr line")
        answer = await worker.ok("POST", f"{W}/tasks/release", {"task_id": id}, headers={"X-Worker-ID": "wrk-0001"})
        assert (answer["success"], answer["status"]) == (True, "failed")

        # what its page saw
        seen: list[ServerSentEvent] = []
        while not seen or data(seen[-1]).get("type") != "error":
            seen.append(await page.event())
        told_words = [(event.event, data(event).get("status") or data(event).get("type")) for event in seen]
        words = [("connected", "connected"), ("status", "idle")] if base == "/v1/opencode" else told_words[:2]
        assert told_words == [
            *words,
            ("status", "pending"),
            ("status", "running"),
            ("status", "completed"),
            ("message", "text"),
            ("status", "pending"),
            ("status", "running"),
            ("status", "running"),
            ("message", "text"),
            ("message", "text"),
            ("status", "failed"),
            ("message", "error"),
        ]
        assert [data(event).get("content") for event in seen if event.event == "message"] == [
            "hello echo",
            "chunk 0",
            "[stderr] stderr line",
            None,
        ]

    # sessions, and the end
    sessions = {
        "worker_id": "wrk-0001",
        "sessions": [
            {
                "id": "ses_fake123",
                "title": "Fake",
                "directory": "/home/dev/demo",
                "project_id": "p1",
                "created": "2025-10-09T08:53:20",
                "updated": "2025-10-09T08:53:21",
                "messageCount": 1,
                "summary": {"files": 1},
                "version": "1.0",
            }
        ],
    }
    answer = await worker.ok("POST", f"{codebases}/{codebase}/sessions/sync", sessions)
    assert (answer["success"], answer["sessions_count"]) == (True, 1)
    messages = {
        "worker_id": "wrk-0001",
        "messages": [
            {
                "id": "msg_1",
                "sessionID": "ses_fake123",
                "role": "user",
                "time": {"created": "2025-10-09T08:53:20.500000"},
                "agent": "build",
                "model": "anthropic/claude-x",
                "cost": None,
                "tokens": None,
                "tool_calls": [],
                "parts": [{"id": "prt_1", "type": "text", "text": "hi there"}],
            }
        ],
    }
    answer = await worker.ok("POST", f"{codebases}/{codebase}/sessions/ses_fake123/messages/sync", messages)
    assert (answer["success"], answer["messages_count"]) == (True, 1)
    answer = await worker.ok("POST", f"{base}/workers/wrk-0001/unregister")
    assert answer["success"] is True


async def run(worker: Caller, base: str, id: str, outcome: dict[str, str]) -> None:
    """What the worker sends for a task that takes no time."""
    header = {"X-Worker-ID": "wrk-0001"}
    claimed = await worker.ok("POST", f"{W}/tasks/claim", {"task_id": id}, headers=header)
    assert (claimed["success"], claimed["task_id"], claimed["worker_id"]) == (True, id, "wrk-0001")
    assert claimed["message"] == "Task claimed successfully"
    answer = await worker.ok("PUT", f"{base}/tasks/{id}/status", {"status": "running", "worker_id": "wrk-0001"})
    assert (answer["task"]["status"], bool(answer["task"]["started_at"])) == ("running", True)
    answer = await worker.ok("PUT", f"{base}/tasks/{id}/status", outcome | {"worker_id": "wrk-0001"})
    assert answer["task"] | outcome == answer["task"]
    assert answer["task"]["completed_at"]
    answer = await worker.ok("POST", f"{W}/tasks/release", {"task_id": id}, headers=header)
    assert answer == {
        "success": True,
        "task_id": id,
        "worker_id": "wrk-0001",
        "status": "completed",
        "message": "Task released successfully",
    }


async def offered(api: Api, stream: Any) -> Any:
    """The next offer."""
    await api.services.dispatch.offer_ready()
    event = await stream.event()
    assert event.event == "task_available"
    return data(event)


async def test_a_second_claim_is_409_and_a_cancelled_tasks_put_is_a_silent_4xx(api: Api) -> None:
    id = (await api.task())["id"]
    claim = {"task_id": id}
    await api.deployed.ok("POST", f"{W}/tasks/claim", claim, headers={"X-Worker-ID": "a"})
    assert (await api.deployed("POST", f"{W}/tasks/claim", claim, headers={"X-Worker-ID": "b"})).status_code == 409
    await api.alice.ok("POST", f"/v1/agent/tasks/{id}/cancel")
    body = {"status": "completed", "worker_id": "a", "result": "r"}
    assert (await api.deployed("PUT", f"/v1/opencode/tasks/{id}/status", body)).status_code == 409


async def test_a_register_codebase_task_goes_to_any_worker(api: Api) -> None:
    body = {"prompt": "register", "codebase_id": "__pending__", "agent_type": "register_codebase"}
    task = await api.alice.ok("POST", "/v1/opencode/tasks", body)
    async with api.watch(f"{W}/tasks/stream?worker_id=w&agent_name=w", "deployed") as stream:
        await stream.event()
        assert (await offered(api, stream))["id"] == task["id"]


@pytest.fixture
async def held(api: Api) -> str:
    """A task that the deployed worker ``w1`` holds, and one beside it that it holds by a token."""
    tokened, held = [str((await api.task())["id"]) for _ in range(2)]
    for id in (tokened, held):
        body = {"task_id": id, "worker_id": "w1", "lease": id == tokened}
        await api.deployed.ok("POST", f"{W}/tasks/claim", body)
    await api.deployed.ok("POST", "/v1/opencode/workers/register", {"worker_id": "w1", "name": "one"})
    return held


async def running(api: Api) -> list[int]:
    """How often each of the running tasks was charged."""
    return [task["attempts_charged"] for task in await api.alice.ok("GET", "/v1/agent/tasks?status=running")]


async def test_a_heartbeat_renews_what_is_held_without_a_token(api: Api, held: str) -> None:
    for _ in range(3):
        api.clock.advance(timedelta(seconds=50))
        await api.deployed.ok("POST", "/v1/opencode/workers/w1/heartbeat")
        await api.alice.ok("POST", "/v1/agent/tasks/stuck/recover")
    assert (await api.shown(held))["status"] == "running"


async def test_a_worker_that_starts_again_no_longer_holds_what_it_held(api: Api, held: str) -> None:
    """Only its start brings the question for keys; its presence must not renew what the dead process held."""
    await api.other.ok("GET", "/v1/opencode/api-keys/sync?worker_id=w1")
    assert await running(api) == [0, 0]
    await api.deployed.ok("GET", "/v1/opencode/api-keys/sync?worker_id=w1")
    task = await api.shown(held)
    assert (task["status"], task["reason"], task["attempts_charged"]) == ("pending", "worker_lost", 1)
    assert await running(api) == [0]
    claim = {"task_id": held, "worker_id": "w1"}
    assert (await api.deployed.ok("POST", f"{W}/tasks/claim", claim))["task"]["attempt"] == 2


async def test_a_worker_that_signs_off_gives_back_what_it_held_and_its_last_words_are_refused(
    api: Api, held: str
) -> None:
    await api.deployed.ok("POST", "/v1/opencode/workers/w1/unregister")
    task = await api.shown(held)
    assert (task["status"], task["reason"], task["attempts_charged"]) == ("pending", "released", 0)
    assert await running(api) == [0]
    word = {"status": "failed", "worker_id": "w1", "error": "Task was cancelled"}
    await api.deployed.refused(409, "PUT", f"/v1/opencode/tasks/{held}/status", word)


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        ("Exit code: -15", "pending", "worker_left"),
        ("Task was cancelled", "pending", "worker_left"),
        ("Exit code: 1", "failed", "agent_failed"),
    ],
)
async def test_a_run_that_a_leaving_worker_ended_is_tried_again(
    api: Api, held: str, error: str, status: str, reason: str
) -> None:
    word = {"status": "failed", "worker_id": "w1", "error": error}
    task = (await api.deployed.ok("PUT", f"/v1/opencode/tasks/{held}/status", word))["task"]
    assert (task["status"], task["reason"]) == (status, reason)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("http://any:a-secret@host:8000/path@1", "http://host:8000/path@1"),
        ("https://host", "https://host"),
        ("any:a-secret@host", "host"),
        ("http://a-secret@[::1]:80?x=1", "http://[::1]:80?x=1"),
        ("", ""),
    ],
)
async def test_no_credentials_are_kept_of_an_agents_url(api: Api, told: str, kept: str) -> None:
    answer = await api.deployed.ok("POST", "/v1/agent/agents", {"name": "one", "url": told})
    assert answer["agent"]["url"] == kept
