"""Every frame of every stream is one that ``contracts/events`` has, and every frame that it has is sent."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from codetether_adapters import memory
from codetether_adapters.http.resources import following, monitor_stream
from contracts.ports.harness import forget
from tests.http.conformance import FORMATS
from tests.http.resources.harness import PATIENCE, Api, Stream, open_api

P = "/v1/agent"
W = "/v1/worker"
SCHEMAS = {
    path.name.removesuffix(".schema.json"): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[2] / "contracts/events").glob("*.schema.json"))
}
STREAMS = sorted(SCHEMAS.keys() - {"task"})
REGISTRY: Registry[Any] = Registry().with_resources(
    (schema["$id"], DRAFT202012.create_resource(schema)) for schema in SCHEMAS.values()
)


@define(eq=False)
class Sent:
    """What a stream was sent, frame by frame, each by the name that the contract has for it."""

    names: dict[str, Counter[str]] = field(factory=lambda: {stream: Counter() for stream in STREAMS})

    def take(self, stream: str, raw: bytes) -> None:
        """Recognize every frame; fail for one that is none, or more than one, of the contract's."""
        for frame in frames(raw):
            fitting = [name for name, validator in VALIDATORS[stream].items() if validator.is_valid(frame)]
            assert len(fitting) == 1, (stream, fitting, frame)
            self.names[stream][fitting[0]] += 1


def validators(schema: Any) -> dict[str, Draft202012Validator]:
    """One for each kind of frame."""
    names = [branch["$ref"].removeprefix("#/$defs/") for branch in schema["oneOf"]]
    return {
        name: Draft202012Validator(
            {"$ref": f"{schema['$id']}#/$defs/{name}"}, registry=REGISTRY, format_checker=FORMATS
        )
        for name in names
    }


VALIDATORS = {stream: validators(SCHEMAS[stream]) for stream in STREAMS}


def frames(raw: bytes) -> Iterator[dict[str, Any]]:
    """The frames as they were sent, with the fields that they have; comments left out."""
    for text in raw.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in text.split("\n") if line and not line.startswith(":"))
        if "data" in fields:
            yield {"event": "message", **fields, "data": json.loads(fields["data"])}


@pytest.fixture
async def api(anyio_backend: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    for module in (following, monitor_stream):
        monkeypatch.setattr(module, "BEAT", timedelta(milliseconds=5))
    async with memory.open_backend() as backend, open_api(backend) as api:
        yield api


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_are_valid_and_closed(name: str) -> None:
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:codetether:events:{name}"
    described = [schema] if name == "task" else [schema["$defs"][frame] for frame in VALIDATORS[name]]
    assert all(each["description"] for each in described)


async def test_whole_lives_send_every_frame_and_no_other(api: Api) -> None:
    sent = Sent()
    codebase = await api.codebase(worker="w1")
    lone = await api.codebase("lone", "/srv/lone")
    async with AsyncExitStack() as stack:
        headers = {"X-Worker-Events": "cancel,drain", "X-Codebases": codebase}
        worker = await stack.enter_async_context(
            api.watch(f"{W}/tasks/stream?worker_id=w1&agent_name=one", "bot", **headers)
        )
        monitor = await stack.enter_async_context(api.watch("/v1/monitor/stream"))
        await until(worker, "connected")
        tasks = [
            await completed(api, worker, codebase),
            await failed(api, codebase),
            await cancelled(api, worker, codebase),
        ]
        await registered(api)
        await until(worker, "heartbeat")
        await read_again(api, sent, codebase, lone, tasks)
        await forgotten(api, sent, tasks)
        api.app.drain.begin()
        for name, stream in (("worker", worker), ("monitor", monitor)):
            await stream.rest()
            sent.take(name, stream.raw)
    for name in STREAMS:
        assert sorted(VALIDATORS[name].keys() - sent.names[name].keys()) == [], f"never sent on {name}"


async def completed(api: Api, worker: Stream, codebase: str) -> str:
    """A task that asks, uses tools and says all sorts of things."""
    id = (await api.task(codebase_id=codebase, title="whole"))["id"]
    await api.services.dispatch.offer_ready()
    await until(worker, "task_available")
    word = await held(api, id)
    said: list[dict[str, Any]] = [
        {"output": "text", "stream": "stderr", "timestamp": "2026-01-01T00:00:00Z"},
        {"output": "", "event": {"type": "step_start", "sessionID": "ses_1"}},
        {"output": "", "event": {"type": "tool_use", "part": {"tool": "bash", "state": {"status": "completed"}}}},
        {"output": "", "event": {"type": "file_change", "path": "a.txt"}},
        {"output": "", "event": {"type": "text", "part": {"text": "words"}}},
        {"output": "", "event": {"type": "no name", "status": "completed"}},
        {"output": "", "event": {"type": "status", "status": "completed"}},
    ]
    await api.bot.ok("POST", f"{P}/tasks/{id}/output", {"outputs": said, "first": 0, **word})
    asked = await api.bot.ok("POST", f"{P}/tasks/{id}/ask", {"prompt": "May I?", **word})
    await api.alice.ok("POST", f"{P}/approvals/{asked['approval']['id']}/answer", {"text": "yes"})
    await api.bot.ok("PUT", f"{P}/tasks/{id}/status", {"status": "running", "session_id": "ses_1", **word})
    holder = {"X-Worker-ID": word["worker_id"], "X-Lease-Token": word["lease_token"]}
    await api.bot.ok("PUT", f"{P}/tasks/{id}/artifacts/notes.txt", content=b"notes", headers=holder)
    await api.bot.ok("PUT", f"{P}/tasks/{id}/status", {"status": "completed", "result": "done", **word})
    return id


async def failed(api: Api, codebase: str) -> str:
    """A task that is tried twice, in vain."""
    id = (await api.task(codebase_id=codebase, max_attempts=2))["id"]
    for _ in range(2):
        failure = {"status": "failed", "error": "no", "retry": True, **await held(api, id)}
        await api.bot.ok("PUT", f"{P}/tasks/{id}/status", failure)
        api.clock.advance(timedelta(hours=1))
        await api.services.maintenance.sweep()
    assert (await api.shown(id))["status"] == "failed"
    return id


async def cancelled(api: Api, worker: Stream, codebase: str) -> str:
    """A task that is cancelled while it runs, and whose run says a last word."""
    id = (await api.task(codebase_id=codebase))["id"]
    word = await held(api, id)
    await until(worker, "heartbeat")  # by now the desk knows that this worker holds it
    await api.alice.ok("POST", f"{P}/tasks/{id}/cancel")
    await until(worker, "cancel")
    await api.bot.ok("POST", f"{P}/tasks/{id}/output", {"output": "late", **word})
    await api.bot.ok("POST", f"{W}/tasks/stopped", {"task_id": id, **word})
    return id


async def registered(api: Api) -> None:
    """An agent and a worker, and a word between them."""
    await api.alice.ok("POST", f"{P}/agents", {"name": "reviewer"})
    await api.bot.ok("POST", f"{P}/workers/register", {"worker_id": "w2", "name": "two"})
    await api.alice.ok("POST", f"{P}/messages", {"to": "reviewer", "body": "hello"})


async def read_again(api: Api, sent: Sent, codebase: str, lone: str, tasks: list[str]) -> None:
    """The whole log, in every dialect, from the start and with a cursor of elsewhere."""
    for path in (f"{P}/codebases/{codebase}/events", f"/v1/opencode/codebases/{codebase}/events"):
        for query in ("replay=true", "since=elsewhere.1"):
            sent.take(dialect(path), await until_told(api, f"{path}?{query}", tasks[-1]))
    sent.take("deployed", await until_told(api, f"/v1/opencode/codebases/{lone}/events", "offline"))
    sent.take("monitor", await until_told(api, "/v1/monitor/stream?since=elsewhere.1", "hello"))
    for task in tasks:
        for path in (
            f"{P}/tasks/{task}/events",
            f"/v1/opencode/tasks/{task}/events",
            f"{P}/tasks/{task}/output/stream",
        ):
            for query in ("", "?since=elsewhere.1"):
                sent.take(dialect(path), await whole(api, path + query))


async def forgotten(api: Api, sent: Sent, tasks: list[str]) -> None:
    """Of tasks that nobody remembers the end is told all the same."""
    api.clock.advance(timedelta(days=400))
    while await forget(api.services.backend.log, api.clock.now(), 1000):
        pass
    for task in tasks:
        for path in (
            f"{P}/tasks/{task}/events",
            f"/v1/opencode/tasks/{task}/events",
            f"{P}/tasks/{task}/output/stream",
        ):
            raw = await whole(api, path)
            assert raw.count(b"event: ") >= 1
            sent.take(dialect(path), raw)


def dialect(path: str) -> str:
    if path.endswith("/output/stream"):
        return "task-output"
    return "deployed" if path.startswith("/v1/opencode") else "client"


async def held(api: Api, id: str) -> dict[str, str]:
    """The task is claimed; what its holder's words carry."""
    return {"worker_id": "w1", "lease_token": (await api.claimed(id))["lease"]["token"]}


async def until(stream: Stream, event: str) -> None:
    """Read on up to an event of that name."""
    async with asyncio.timeout(PATIENCE):
        while (await stream.event()).event != event:
            pass


async def until_told(api: Api, path: str, text: str) -> bytes:
    """What a stream that does not end has sent when it has told of ``text`` and is silent."""
    async with api.watch(path) as stream, asyncio.timeout(PATIENCE):
        while text.encode() not in stream.raw:
            await stream.chunk()
        while not (await stream.chunk()).endswith(b": beat\n\n"):
            pass
        return stream.raw


async def whole(api: Api, path: str) -> bytes:
    """What a stream sends up to its end."""
    async with api.watch(path) as stream:
        await stream.rest()
        return stream.raw
