"""``contracts/examples``: whole exchanges, recorded from scripts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from tests.contracts.stage import Recorder, open_stage

__all__ = ["EXAMPLES", "record"]

P: Final = "/v1/agent"
O: Final = "/v1/opencode"  # noqa: E741
W: Final = "/v1/worker"


async def claim_to_completion(play: Recorder) -> None:
    """Our worker: it registers, is offered a task, claims it with a lease, reports output and the outcome."""
    codebase = await _codebase(play)
    registration = {"worker_id": "wrk-1", "name": "one", "codebases": [codebase], "agents": ["echo"], "slots": 2}
    await play.ask("worker", "POST", f"{P}/workers/register", registration)
    await play.open(
        "offers", "worker", f"{W}/tasks/stream?worker_id=wrk-1&agent_name=one",
        X_Codebases=codebase, X_Agents="echo", X_Slots="2", X_Worker_Events="cancel,drain",
    )  # fmt: skip
    await play.read("offers")
    body = {"prompt": "Say hello", "agent_type": "echo", "priority": 3}
    task = (await play.ask("editor", "POST", f"{P}/codebases/{codebase}/tasks", body, Idempotency_Key="once"))["task"]
    await play.ask("editor", "POST", f"{P}/codebases/{codebase}/tasks", body, Idempotency_Key="once")
    await play.open("events", "viewer", f"{P}/tasks/{task['id']}/events")
    await play.read("offers")
    word = await _claim(play, task["id"])
    said = [{"output": "hello"}, {"output": "", "event": {"type": "tool_use", "tool": "write", "path": "hello.txt"}}]
    await play.ask("worker", "POST", f"{P}/tasks/{task['id']}/output", {**word, "outputs": said, "first": 0})
    await play.ask("worker", "POST", f"{W}/tasks/renew", {"task_id": task["id"], "session_id": "ses_1", **word})
    outcome = {"status": "completed", "result": "hello", "outputs": [{"output": "done"}], "first": 2, **word}
    await play.ask("worker", "PUT", f"{P}/tasks/{task['id']}/status", outcome)
    await play.ask("worker", "PUT", f"{P}/tasks/{task['id']}/status", outcome)
    await play.read("events", 7)
    await play.ask("viewer", "GET", f"{P}/tasks/{task['id']}/output?since=1")


async def classic(play: Recorder) -> None:
    """An unmodified worker of release 1.4.3, which knows no leases, and the page that watches it."""
    codebase = (await play.ask("worker", "POST", f"{O}/codebases", {"name": "demo", "path": "/srv/demo"}))["id"]
    body = {"worker_id": "wrk-1", "name": "w-one", "capabilities": ["build"], "hostname": "vm", "models": []}
    await play.ask("worker", "POST", f"{O}/workers/register", body | {"codebases": [codebase, "global"]})
    arguments = {"name": "w-one:vm:wrk-1", "description": "...", "url": "http://127.0.0.1:58100", "capabilities": {}}
    params = {"name": "register_agent", "arguments": arguments}
    rpc = {"jsonrpc": "2.0", "id": "b1f06590", "method": "tools/call", "params": params}
    await play.ask("worker", "POST", "/mcp/v1/rpc", rpc)
    await play.ask("worker", "GET", f"{O}/api-keys/sync?worker_id=wrk-1")
    stream = f"{W}/tasks/stream?worker_id=wrk-1&agent_name=w-one"
    await play.open("offers", "worker", stream, X_Codebases=f"{codebase},global", X_Capabilities="build")
    await play.read("offers")
    await play.open("page", "viewer", f"{O}/codebases/{codebase}/events")
    await play.ask("editor", "POST", f"{O}/codebases/{codebase}/trigger", {"prompt": "Build it", "agent": "build"})
    id = (await play.read("offers"))["id"]
    await play.ask("worker", "POST", f"{W}/tasks/claim", {"task_id": id}, X_Worker_ID="wrk-1")
    running = {"status": "running", "worker_id": "wrk-1"}
    await play.ask("worker", "PUT", f"{O}/tasks/{id}/status", running)
    await play.ask("worker", "PUT", f"{O}/tasks/{id}/status", running | {"session_id": "ses_1"})
    line = '{"type": "text", "sessionID": "ses_1", "part": {"type": "text", "text": "building"}}'
    output = {"worker_id": "wrk-1", "output": line, "timestamp": "2026-11-22T15:00:31.942252"}
    await play.ask("worker", "POST", f"{O}/tasks/{id}/output", output)
    await play.ask("worker", "POST", f"{O}/workers/wrk-1/heartbeat")
    await play.ask("worker", "PUT", f"{O}/tasks/{id}/status", running | {"status": "completed", "result": "built"})
    await play.ask("worker", "POST", f"{W}/tasks/release", {"task_id": id}, X_Worker_ID="wrk-1")
    await play.read("page", 8)
    session = {"id": "ses_1", "title": "Build it", "directory": "/srv/demo", "created": "2026-11-22T15:00:30"}
    sync = {"worker_id": "wrk-1", "sessions": [session]}
    await play.ask("worker", "POST", f"{O}/codebases/{codebase}/sessions/sync", sync)
    await play.ask("worker", "POST", f"{O}/workers/wrk-1/unregister")


async def question(play: Recorder) -> None:
    """An agent asks and keeps its lease; a person answers; a second answer comes too late."""
    id = (await play.ask("editor", "POST", f"{P}/tasks", {"prompt": "Tidy up"}))["id"]
    word = await _claim(play, id)
    options = [{"id": "yes", "label": "Delete"}, {"id": "no", "label": "Keep", "allows": False}]
    body = {"prompt": "Delete build/?", "kind": "permission", "options": options, "timeout_seconds": 600, **word}
    approval = (await play.ask("worker", "POST", f"{P}/tasks/{id}/ask", body))["approval"]["id"]
    await play.ask("viewer", "GET", f"{P}/approvals?status=open")
    await play.ask("viewer", "POST", f"{P}/approvals/{approval}/answer", {"choice": "yes"})
    await play.ask("editor", "POST", f"{P}/approvals/{approval}/answer", {"choice": "perhaps"})
    await play.ask("editor", "POST", f"{P}/approvals/{approval}/answer", {"choice": "yes"})
    await play.ask("admin", "POST", f"{P}/approvals/{approval}/answer", {"choice": "no"})
    await play.ask("worker", "GET", f"{P}/approvals/{approval}?wait=30")
    await play.ask("worker", "PUT", f"{P}/tasks/{id}/status", {"status": "completed", "result": "tidy", **word})


async def cancel(play: Recorder) -> None:
    """A task is cancelled while it runs; its worker is told, may say a last word, and confirms that it has stopped."""
    stream = f"{W}/tasks/stream?worker_id=wrk-1&agent_name=one"
    await play.open("offers", "worker", stream, X_Worker_Events="cancel")
    await play.read("offers")
    id = (await play.ask("editor", "POST", f"{P}/tasks", {"prompt": "Count to a million"}))["id"]
    await play.read("offers")
    word = await _claim(play, id)
    await play.ask("editor", "POST", f"{P}/tasks/{id}/cancel")
    await play.read("offers")
    await play.ask("worker", "POST", f"{W}/tasks/renew", {"task_id": id, **word})
    await play.ask("worker", "POST", f"{P}/tasks/{id}/output", {"output": "999", **word})
    await play.ask("worker", "POST", f"{W}/tasks/stopped", {"task_id": id, **word})
    await play.ask("viewer", "GET", f"{P}/tasks/{id}")
    await play.ask("editor", "POST", f"{P}/tasks/{id}/retry")


async def agent_card(play: Recorder) -> None:
    """Another agent finds out who we are, and, once it is known, which agents and codebases there are."""
    await play.ask("unknown", "GET", "/.well-known/agent-card.json")
    await _codebase(play)
    await play.ask("agent", "POST", f"{P}/agents", {"name": "surveyor", "description": "Looks around"})
    rpc = {"jsonrpc": "2.0", "id": 1, "method": "GetExtendedAgentCard"}
    await play.ask("viewer", "POST", "/v1/a2a", rpc, A2A_Version="1.0")
    await play.ask("unknown", "POST", "/v1/a2a", rpc, A2A_Version="1.0")


async def refusals(play: Recorder) -> None:
    """What is refused, and how: every status, with the code that clients match on."""
    codebase = await _codebase(play)
    id = (await play.ask("editor", "POST", f"{P}/tasks", {"prompt": "p"}, Idempotency_Key="key"))["id"]
    await play.ask("editor", "POST", f"{P}/tasks", {"prompt": "another"}, Idempotency_Key="key")
    await play.ask("unknown", "GET", f"{P}/tasks")
    await play.ask("viewer", "POST", f"{P}/tasks", {"prompt": "p"})
    await play.ask("viewer", "GET", f"{P}/tasks/none")
    await play.ask("viewer", "GET", f"{P}/nowhere")
    await play.ask("viewer", "PATCH", f"{P}/tasks/{id}")
    await play.ask("editor", "POST", f"{P}/codebases/{codebase}/tasks", {"prompt": "p", "priority": "high"})
    await play.ask("editor", "POST", f"{P}/codebases/{codebase}/tasks", {})
    await play.ask("editor", "POST", f"{P}/tasks")
    await play.ask("viewer", "GET", f"{P}/tasks?status=assigned")
    await play.ask("viewer", "GET", f"{P}/tasks/{id}/events", Last_Event_ID="yesterday")
    word = await _claim(play, id)
    await play.ask("worker", "POST", f"{W}/tasks/claim", {"task_id": id, "worker_id": "wrk-2"})
    await play.ask("worker", "POST", f"{P}/tasks/{id}/output", {"output": "x", "worker_id": "wrk-1"})
    await play.ask("worker", "POST", f"{W}/tasks/renew", {"task_id": id, **word, "lease_token": "1.not-the-token"})
    await play.ask("worker", "PUT", f"{P}/tasks/{id}/status", {"status": "completed", **word})
    await play.ask("editor", "POST", f"{P}/tasks/{id}/cancel")


async def _codebase(play: Recorder) -> str:
    id: str = (await play.ask("editor", "POST", f"{P}/codebases", {"name": "demo", "path": "/srv/demo"}))["id"]
    return id


async def _claim(play: Recorder, id: str) -> dict[str, str]:
    """Claim with a lease; what every later word carries."""
    body = {"task_id": id, "worker_id": "wrk-1", "lease": True}
    claimed = await play.ask("worker", "POST", f"{W}/tasks/claim", body, Idempotency_Key="0123456789abcdef")
    return {"worker_id": "wrk-1", "lease_token": claimed["lease"]["token"]}


Script = Callable[[Recorder], Awaitable[None]]


def record(script: Script) -> str:
    """The example that a script makes."""

    async def played() -> list[dict[str, object]]:
        async with open_stage() as stage:
            recorder = Recorder(stage)
            await script(recorder)
            return recorder.steps

    made = {"about": script.__doc__, "steps": asyncio.run(played())}
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


EXAMPLES: Final[Mapping[str, Callable[[], str]]] = {
    f"examples/{script.__name__.replace('_', '-')}.json": partial(record, script)
    for script in (claim_to_completion, classic, question, cancel, agent_card, refusals)
}
