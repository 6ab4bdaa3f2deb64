"""The protocol's own clients against a real server: the Inspector's command line, and the client of its library.

Each at the server itself, at ``codetether mcp`` beside it, and over the standard input of ``codetether mcp --stdio``.
"""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from attrs import frozen
from mcp import StdioServerParameters, types
from mcp.client import Client
from mcp.client.session import ElicitationFnT
from mcp.client.streamable_http import streamable_http_client

from tests.e2e.programs import start, until
from tests.http.server import TOKEN, Server, serving
from tests.mcp.clients import inspect

RPC = "/mcp/v1/rpc"
MODES = ("legacy", "2026-07-28")


@frozen
class Place:
    """A server, and where the protocol is spoken for it."""

    server: Server
    url: str
    directory: Path

    def http(self, method: str, path: str, **body: Any) -> Any:
        """What the server itself answers."""
        answer = httpx.request(
            method, self.server.url + path, json=body or None, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def end(self, task: str, result: str) -> None:
        """Have a worker do a task."""
        word = {"worker_id": "w1", "task_id": task}
        self.http("POST", "/v1/worker/tasks/claim", **word)
        self.http("PUT", f"/v1/agent/tasks/{task}/status", worker_id="w1", status="completed", result=result)

    def ask(self, task: str, prompt: str) -> str:
        """Have a worker that does a task ask something; the question's id."""
        lease = self.http("POST", "/v1/worker/tasks/claim", worker_id="w1", task_id=task, lease=True)["lease"]
        word = {"worker_id": "w1", "lease_token": lease["token"]}
        return str(self.http("POST", f"/v1/agent/tasks/{task}/ask", prompt=prompt, **word)["approval"]["id"])


@contextmanager
def beside(directory: Path, server: Server) -> Iterator[str]:
    """``codetether mcp``; where it listens."""
    settings = {"CODETETHER_SERVER": server.url, "CODETETHER_DATA_DIR": str(directory / "none")}
    program = start(directory / "mcp.log", settings, "-m", "codetether_apps.mcp")
    try:
        found = until(lambda: re.search(r'"url": ?"(http://127\.0\.0\.1:\d+)"', program.said), "its start")
        assert found is not None, program.said
        yield found[1]
        program.signal(signal.SIGTERM)
        assert program.wait() == 0, program.said
    finally:
        if program.process.poll() is None:
            program.kill()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path, str]]:
    directory = tmp_path_factory.mktemp("mcp")
    with serving(directory, {"CODETETHER_TOKENS": f"admin:{TOKEN}:admin"}) as server, beside(directory, server) as url:
        yield server, directory, url


@pytest.fixture(params=["itself", "beside"])
def place(request: pytest.FixtureRequest, server: tuple[Server, Path, str]) -> Place:
    itself, directory, url = server
    return Place(itself, (itself.url if request.param == "itself" else url) + RPC, directory)


@asynccontextmanager
async def over_http(url: str, mode: str, user: ElicitationFnT | None = None) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode, elicitation_callback=user) as client,
    ):
        yield client


@asynccontextmanager
async def over_stdio(
    server: Server, directory: Path, mode: str, user: ElicitationFnT | None = None
) -> AsyncIterator[Client]:
    environment = {"CODETETHER_TOKEN": TOKEN, "CODETETHER_DATA_DIR": str(directory / "none")}
    arguments = ["-m", "codetether_apps.mcp", "--stdio", "--server", server.url]
    parameters = StdioServerParameters(command=sys.executable, args=arguments, env=environment)
    async with Client(parameters, mode=mode, elicitation_callback=user) as client:
        yield client


async def use(client: Client, place: Place) -> None:
    """Everything that a host does."""
    assert {tool.name for tool in (await client.list_tools()).tools} >= {"create_task", "wait_task", "cancel_task"}
    made = await client.call_tool("create_task", {"codebase": "global", "prompt": "Say so"})
    assert not made.is_error
    id = made.structured_content["task_id"]
    place.end(id, "It is so.")
    told: list[str] = []

    async def progress(progress: float, total: float | None, message: str | None) -> None:
        told.append(message or "")

    waited = await client.call_tool("wait_task", {"task_id": id}, progress_callback=progress)
    assert waited.structured_content["task"]["result"] == "It is so."
    assert told
    other = (await client.call_tool("create_task", {"codebase": "global", "prompt": "p"})).structured_content["task_id"]
    assert (await client.call_tool("cancel_task", {"task_id": other})).structured_content["status"] == "cancelled"
    missing = await client.call_tool("get_task", {"task_id": "tsk_none"})
    assert missing.is_error
    (block,) = missing.content
    assert isinstance(block, types.TextContent)
    assert "call list_tasks" in block.text
    (read,) = (await client.read_resource(f"ct://tasks/{id}")).contents
    assert isinstance(read, types.TextResourceContents)
    assert json.loads(read.text)["status"] == "completed"
    assert (await client.list_resource_templates()).resource_templates
    written = await client.get_prompt("triage_failed_task", {"task_id": id})
    assert written.messages
    reference = types.PromptReference(type="ref/prompt", name="triage_failed_task")
    completed = await client.complete(reference, {"name": "task_id", "value": id[:-1]})
    assert completed.completion.values == [id]


async def because(context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
    """A user who knows the answer to one question."""
    assert params.message == "Why?"
    return types.ElicitResult(action="accept", content={"answer": "Because."})


async def be_asked(client: Client, place: Place) -> None:
    """Wait for a task that asks something of the user."""
    made = await client.call_tool("create_task", {"codebase": "global", "prompt": "p"})
    id = made.structured_content["task_id"]
    question = place.ask(id, "Why?")
    waited = await client.call_tool("wait_task", {"task_id": id, "timeout_seconds": 0})
    assert waited.structured_content["task"]["status"] == "running"
    kept = place.http("GET", f"/v1/agent/approvals/{question}")
    assert kept["text"] == "Because."


@pytest.mark.parametrize("mode", MODES)
async def test_the_librarys_client(place: Place, mode: str) -> None:
    async with over_http(place.url, mode) as client:
        await use(client, place)


@pytest.mark.parametrize("mode", MODES)
async def test_the_librarys_client_over_standard_input(server: tuple[Server, Path, str], mode: str) -> None:
    itself, directory, _ = server
    async with over_stdio(itself, directory, mode) as client:
        await use(client, Place(itself, "", directory))


async def test_the_user_of_the_librarys_client_is_asked(place: Place) -> None:
    async with over_http(place.url, "auto", because) as client:
        await be_asked(client, place)


async def test_the_user_of_the_librarys_client_is_asked_over_standard_input(server: tuple[Server, Path, str]) -> None:
    itself, directory, _ = server
    async with over_stdio(itself, directory, "auto", because) as client:
        await be_asked(client, Place(itself, "", directory))


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_the_inspector(place: Place, era: str, tmp_path: Path) -> None:
    def run(*arguments: str) -> Any:
        done = inspect(place.url, era, *arguments, place=tmp_path, token=TOKEN)
        assert done.returncode == 0, (done.args, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def call(name: str, **arguments: Any) -> Any:
        told = run("--method", "tools/call", "--tool-name", name, "--tool-args-json", json.dumps(arguments))
        return (told.get("result") or told)["structuredContent"]

    assert "create_task" in json.dumps(run("--method", "tools/list", "--strict"))
    id = call("create_task", codebase="global", prompt="Say so")["task_id"]
    place.end(id, "It is so.")
    assert call("wait_task", task_id=id)["task"]["status"] == "completed"
    other = call("create_task", codebase="global", prompt="p")["task_id"]
    assert call("cancel_task", task_id=other)["status"] == "cancelled"
    assert "It is so." in json.dumps(run("--method", "resources/read", "--uri", f"ct://tasks/{id}"))


def test_a_stranger_is_refused_on_the_way_too(place: Place) -> None:
    answer = httpx.post(place.url, json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
