"""Two tenants use the same words for everything, and neither learns, takes or changes anything of the other's.

Every route that the application has is asked for what is the other's, with an administrator's token.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from attrs import define

from codetether_adapters.a2a.methods import METHODS, Operation
from codetether_adapters.a2a_wire.v1 import V1
from codetether_adapters.audited import Acting, AuditedBackend
from codetether_adapters.filesystem import open_blobs
from codetether_adapters.http import Application, Route, create_app
from codetether_adapters.mcp.prompts import PROMPTS
from codetether_adapters.mcp.resources import ROOTS, TEMPLATES
from codetether_adapters.mcp.task_words import EXTENSION
from codetether_adapters.mcp.tools import TOOLS
from codetether_adapters.opa import RegoPolicy, shipped_policy
from codetether_adapters.system import SystemClock, SystemEntropy
from codetether_adapters.tokens import Chain, StaticToken, StaticTokens, open_kept_tokens
from codetether_apps.settings import read_settings
from codetether_apps.wiring.backends import open_backend
from codetether_core.ids import TenantId
from codetether_core.services import Entry, Notes, Services, assemble
from tests.e2e.engines import ENGINES, KEPT, store_settings
from tests.http.conformance import every_route, table
from tests.http.harness import Peer, client_of
from tests.http.resources.world import KEY, Quick
from tests.mcp.hub import RPC, envelope, named
from tests.tenants.filled import NAMES, Filled, fill
from tests.tool_servers.caller import Caller

pytestmark = pytest.mark.anyio

ACME: Final = TenantId("acme")
UMBRELLA: Final = TenantId("umbrella")
_TENANTS: Final = (ACME, UMBRELLA)
_PARAMETER: Final = re.compile(r"([a-z-]+)/\{([a-z_]+)(?::path)?\}")


def mark(tenant: TenantId) -> str:
    """What stands in everything that a tenant has, and nowhere else."""
    return f"secret-of-{tenant}"


@define(eq=False)
class Shared:
    """One installation, and what the tenants have in it."""

    app: Application
    services: Services
    clients: Mapping[TenantId, httpx.AsyncClient]
    filled: Mapping[TenantId, Filled]

    async def copy(self, tenant: TenantId) -> list[Entry]:
        """Everything that a tenant has."""
        return [entry async for entry in self.services.archiving.copy(tenant)]


@asynccontextmanager
async def shared(engine: str, directory: Path) -> AsyncIterator[Shared]:
    """An installation on that store, with two tenants that have everything."""
    environment = {"CODETETHER_DATA_DIR": str(directory), **store_settings(engine)}
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(open_backend(read_settings(environment=environment)))
        blobs = await stack.enter_async_context(open_blobs(f"file://{directory}/blobs"))
        clock, dice, acting = SystemClock(), SystemEntropy(), Acting()
        audited = AuditedBackend.over(backend, Notes(clock, dice).of, acting)
        services = assemble(audited, clock, dice, blobs=blobs, key=KEY, passwords=Quick(), tool_caller=Caller())
        tokens = StaticTokens(
            StaticToken.of("root", f"token-of-{each}", ["admin", "worker"], each) for each in _TENANTS
        )
        kept = await stack.enter_async_context(open_kept_tokens(services.issuing, services.watching, services.clock))
        app = create_app(
            services,
            authenticator=Chain((tokens, kept)),
            authorizer=RegoPolicy(shipped_policy()),
            routes=every_route(services),
            acts=acting,
        )
        clients = {
            tenant: await stack.enter_async_context(
                client_of(app, headers={"Authorization": f"Bearer token-of-{tenant}"})
            )
            for tenant in _TENANTS
        }
        filled = {tenant: await fill(client, mark(tenant)) for tenant, client in clients.items()}
        yield Shared(app, services, clients, filled)


def path_to(route: Route, ids: Mapping[str, str]) -> str:
    """The route's path to what has these ids."""
    path = route.path
    for noun, name in _PARAMETER.findall(route.path):
        path = re.sub(rf"\{{{name}(?::path)?\}}", ids.get(noun, "x"), path, count=1)
    return re.sub(r"\{[a-z_]+(?::[a-zA-Z]+)?\}", "x", path)


WORDS: Final = {
    "agent_id": NAMES["agents"],
    "answer": "yes",
    "body": "b",
    "message": "m",
    "name": NAMES["agents"],
    "output": "o",
    "prompt": "p",
    "result": "r",
    "status": "completed",
    "target_worker_id": NAMES["workers"],
    "text": "yes",
    "title": "t",
    "to": NAMES["agents"],
    "url": "https://tools.example/mcp",
    "worker_id": NAMES["workers"],
}
"""Members that some body or other wants."""


async def said(world: Shared, asking: TenantId, whose: TenantId, route: Route) -> tuple[int, bytes]:
    """What one tenant is answered that asks for what is another's."""
    ids, path = world.filled[whose].ids, path_to(route, world.filled[whose].ids)
    named = {"task_id": ids["tasks"], "codebase_id": ids["codebases"]}
    words = {"X-Worker-ID": NAMES["workers"], "X-Agent-Name": "one", "X-Lease-Token": world.filled[whose].lease}
    if route.stream is None:
        query = {**named, "q": "secret", "worker_id": NAMES["workers"], "agent_name": "one"}
        body = None if route.method == "GET" else WORDS | named
        answer = await world.clients[asking].request(route.method, path, params=query, json=body, headers=words)
        return answer.status_code, answer.content
    headers = words | {"Authorization": f"Bearer token-of-{asking}", "A2A-Version": "1.0"}
    peer = Peer(world.app, path, method=route.method, headers=headers)
    asked = {"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {"id": ids["tasks"]}}
    peer.say(json.dumps(asked).encode() if route.method == "POST" else b"")
    await peer.until(lambda peer: peer.status is not None)
    if peer.status == 200:
        await peer.until(lambda peer: b"\n\n" in peer.body or peer.is_complete())
    peer.leave()
    await peer.end()
    return peer.status or 0, peer.body


@pytest.mark.parametrize("engine", [*ENGINES, KEPT])
async def test_nobody_gets_at_what_is_another_tenants(engine: str, tmp_path: Path) -> None:
    """By its id or by a word that both use; to read it, to claim it, to stop it, to speak for it, to count it."""
    async with shared(engine, tmp_path) as world:
        before = await world.copy(ACME)
        for route in table():
            status, told = await said(world, UMBRELLA, ACME, route)
            without_provider = status == 501 and "/oidc/" in route.path
            assert status < 500 or without_provider, (route.method, route.path, told)
            assert mark(ACME).encode() not in told, (route.method, route.path, told)
        assert await world.copy(ACME) == before


async def test_whose_it_is_sees_it_everywhere(tmp_path: Path) -> None:
    """Else the test above would show nothing."""
    async with shared("sqlite", tmp_path) as world:
        seen = set()
        for route in sorted(table(), key=lambda route: route.method != "GET"):
            _, told = await said(world, ACME, ACME, route)
            if mark(ACME).encode() in told:
                seen.add(route.path)
        assert len(seen) > 30, sorted(seen)


@pytest.mark.parametrize("engine", [*ENGINES, KEPT])
async def test_no_method_of_a2a_knows_of_what_is_another_tenants(engine: str, tmp_path: Path) -> None:
    """Nor does any change it, whichever way the task is named."""
    async with shared(engine, tmp_path) as world:
        before, client = await world.copy(ACME), world.clients[UMBRELLA]
        id = world.filled[ACME].ids["tasks"]
        message = {"messageId": "m", "taskId": id, "parts": [{"text": "yes", "kind": "text"}]}
        for name, method in METHODS.items():
            role = "ROLE_USER" if method.dialect is V1 else "user"
            params = {"id": id, "taskId": id, "message": message | {"role": role}}
            body = {"jsonrpc": "2.0", "id": 1, "method": name, "params": params}
            answer = await client.post("/v1/a2a", json=body, headers={"A2A-Version": "1.0"})
            assert mark(ACME).encode() not in answer.content, (name, answer.text)
            told = json.loads(answer.text.removeprefix("data: "))
            if name == "ListTasks":
                assert all(mark(UMBRELLA) in json.dumps(task) for task in told["result"]["tasks"])
            elif method.operation is Operation.CARD:
                assert mark(UMBRELLA) in json.dumps(told["result"]["skills"])
            else:
                assert told["error"]["code"] in (-32001, -32003, -32004), (name, told)
        assert await world.copy(ACME) == before


def asked_of_mcp(filled: Filled) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every tool, resource, prompt and completion, asked for what is there."""
    ids = filled.ids
    known = {
        "agent": NAMES["agents"],
        "answer": "yes",
        "codebase": ids["codebases"],
        "goal": "g",
        "name": "n",
        "path": "/p",
        "prompt": "p",
        "session_id": NAMES["sessions"],
        "task_id": ids["tasks"],
        "text": "t",
        "timeout_seconds": 0,
    }
    for tool in TOOLS:
        wanted = tool.shown()["inputSchema"]["properties"]
        yield "tools/call", {"name": tool.name, "arguments": {name: known[name] for name in known if name in wanted}}
    parts = {"codebase_id": ids["codebases"], "agent": NAMES["agents"], **known}
    for resource in (*ROOTS, *TEMPLATES):
        yield "resources/read", {"uri": re.sub(r"\{(\w+)\}", lambda name: str(parts[name[1]]), resource.address)}
    for prompt in PROMPTS:
        wanted = [each["name"] for each in prompt.shown()["arguments"]]
        arguments = {name: known[name] for name in wanted if name in known}
        yield "prompts/get", {"name": prompt.name, "arguments": arguments}
        for name in wanted:
            ref = {"type": "ref/prompt", "name": prompt.name}
            yield "completion/complete", {"ref": ref, "argument": {"name": name, "value": ""}}
    yield "resources/list", {}
    yield "tasks/get", {"taskId": ids["tasks"]}
    yield "tasks/update", {"taskId": ids["tasks"], "inputResponses": {ids["approvals"]: {"action": "accept"}}}
    yield "tasks/cancel", {"taskId": ids["tasks"]}


ABLE: Final[Mapping[str, Any]] = {"extensions": {EXTENSION: {}}, "elicitation": {}}
"""What a client of MCP says that it can do."""


async def told_by_mcp(client: httpx.AsyncClient, filled: Filled) -> Mapping[str, bytes]:
    """What a tenant is answered that asks for what is there."""
    return {
        f"{method} {params}": (
            await client.post(RPC, json=envelope(method, params, capabilities=ABLE), headers=named(method, params))
        ).content
        for method, params in asked_of_mcp(filled)
    }


@pytest.mark.parametrize("engine", [*ENGINES, KEPT])
async def test_nothing_of_mcp_knows_of_what_is_another_tenants(engine: str, tmp_path: Path) -> None:
    """Nor does any of it change that; and whose it is finds it there."""
    async with shared(engine, tmp_path) as world:
        before = await world.copy(ACME)
        for asked, told in (await told_by_mcp(world.clients[UMBRELLA], world.filled[ACME])).items():
            assert b'"code":-32603' not in told, (asked, told)
            assert mark(ACME).encode() not in told, (asked, told)
        assert await world.copy(ACME) == before
        found = await told_by_mcp(world.clients[ACME], world.filled[ACME])
        seen = {asked.partition(",")[0] for asked, told in found.items() if mark(ACME).encode() in told}
        assert len(seen) > 15, sorted(seen)


@pytest.mark.parametrize("engine", [*ENGINES, KEPT])
async def test_a_stream_brings_nothing_of_another_tenants(engine: str, tmp_path: Path) -> None:
    """While that one does everything again; the own events come."""
    async with shared(engine, tmp_path) as world:
        ids = world.filled[UMBRELLA].ids
        peers = []
        for route in table():
            if route.stream is not None and route.alias == "agent" and route.method == "GET":
                path = path_to(route, ids)
                headers = {"Authorization": f"Bearer token-of-{UMBRELLA}", "X-Agent-Name": "one"}
                peer = Peer(world.app, path, headers=headers | {"X-Worker-ID": NAMES["workers"]})
                peer.say()
                await peer.until(lambda peer: peer.status == 200)
                peers.append(peer)
        client = world.clients[ACME]
        task = world.filled[ACME].ids["tasks"]
        words = {"X-Lease-Token": world.filled[ACME].lease}
        for path, told in (
            (f"/v1/agent/tasks/{task}/output", {"output": mark(ACME), "worker_id": NAMES["workers"]}),
            ("/v1/agent/messages", {"to": NAMES["agents"], "body": mark(ACME)}),
            ("/v1/agent/tasks", {"prompt": mark(ACME), "title": mark(ACME), "codebase_id": "global"}),
        ):
            answer = await client.post(path, json=told, headers=words)
            assert answer.status_code == 200, answer.text
        answer = await world.clients[UMBRELLA].post("/v1/agent/messages", json={"to": NAMES["agents"], "body": "done"})
        assert answer.status_code == 200
        monitors = [peer for peer in peers if b"done" in peer.body]
        async with asyncio.timeout(10):
            while not monitors:
                await asyncio.sleep(0.01)
                monitors = [peer for peer in peers if b"done" in peer.body]
        for peer in peers:
            assert mark(ACME).encode() not in peer.body
            peer.leave()
            await peer.end()
