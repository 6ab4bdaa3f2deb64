"""Tools of servers elsewhere, as a run finds them: by the token of its lease, and by nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
from attrs import define, field

from codetether_adapters.mcp_servers import open_tool_servers
from codetether_adapters.outgoing.allowing import allowed
from codetether_adapters.outgoing.transport import open_transport
from codetether_core.access import DEFAULT_TENANT
from codetether_core.errors import Invalid, Unavailable
from codetether_core.events import Topic
from codetether_core.tool_servers import ToolAnswer
from tests.http.coverage import covers
from tests.http.harness import Peer, client_of
from tests.http.resources.world import FakeClock, World, ok, open_world
from tests.mcp.hub import HANDSHAKE, MODERN, answer_in, envelope, named
from tests.mcp_servers.far import misbehaving
from tests.mcp_servers.saying import serving
from tests.services.tools import Caller

pytestmark = pytest.mark.anyio

URL = "https://tools.example/mcp"
SECRET = "s3cret-of-the-tenant"
ERAS = pytest.mark.parametrize("era", [MODERN, HANDSHAKE])


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.fixture
async def world(anyio_backend: str, caller: Caller) -> AsyncIterator[World]:
    async with open_world(caller=caller) as world:
        ok(await world.client.put("/v1/tool-servers/far", json={"url": URL, "tools": ["allow_*", "ask_*"]}))
        yield world


async def claimed(world: World, **more: Any) -> Any:
    """The answer to a claim."""
    task = await world.post("/v1/agent/tasks", prompt="do it")
    answer = await world.worker.post(
        "/v1/worker/tasks/claim", json={"task_id": task["id"], "worker_id": "w1", "lease": True, **more}
    )
    return ok(answer)


async def post(
    world: World, path: str, token: str | None, method: str, era: str = MODERN, **params: Any
) -> httpx.Response:
    """What somebody is answered who has nothing but a token."""
    headers: Mapping[str, str] = named(method, params, era) | ({"Authorization": f"Bearer {token}"} if token else {})
    async with client_of(world.app) as stranger:
        return await stranger.post(path, json=envelope(method, params, era), headers=headers)


async def result(world: World, claim: Any, method: str, era: str = MODERN, **params: Any) -> Any:
    answer = await post(world, claim["tools_path"], claim["lease"]["token"], method, era, **params)
    assert answer.status_code == 200, answer.text
    return answer_in(answer)["result"]


async def open_approval(world: World, using: asyncio.Future[Any]) -> Any:
    """What is asked so that a tool may be used."""
    with world.services.backend.notifier.listen(Topic(DEFAULT_TENANT)) as bell:
        using.add_done_callback(lambda _: bell.ring())
        while not (found := (await world.get("/v1/agent/approvals", status="open"))["approvals"]):
            assert not using.done(), using.result()
            await bell.wait()
    return found[0]


@ERAS
@covers("POST /mcp/v1/runs/{tenant}/{task_id}")
async def test_a_run_finds_what_it_may_use(world: World, caller: Caller, era: str) -> None:
    claim = await claimed(world)
    assert claim["tools_path"] == f"/mcp/v1/runs/default/{claim['task']['id']}"
    listed = await result(world, claim, "tools/list", era)
    assert [tool["name"] for tool in listed["tools"]] == ["far__allow_it", "far__ask_it"]
    assert "_meta" not in listed or "codetether/problems" not in listed["_meta"]


@ERAS
async def test_a_use_waits_until_somebody_allows_it(world: World, caller: Caller, era: str) -> None:
    claim = await claimed(world)
    caller.answer = ToolAnswer(content=[{"type": "text", "text": "found"}], data={"found": 1})
    call = {"name": "far__ask_it", "arguments": {"q": "x"}}
    using = asyncio.ensure_future(result(world, claim, "tools/call", era, **call))
    approval = await open_approval(world, using)
    assert (approval["tool"]["name"], approval["details"]) == ("far__ask_it", {"arguments": {"q": "x"}})
    assert caller.used == []
    await world.post(f"/v1/agent/approvals/{approval['id']}/answer", choice="allow")
    told = await using
    assert (told["content"], told["structuredContent"], told["isError"]) == (
        [{"type": "text", "text": "found"}],
        {"found": 1},
        False,
    )
    assert caller.used == [("far", "ask_it", {"q": "x"}, "")]


async def test_a_run_is_told_in_words_why_a_tool_was_not_used(world: World, caller: Caller) -> None:
    claim = await claimed(world)
    using = asyncio.ensure_future(result(world, claim, "tools/call", name="far__ask_it", arguments={}))
    await world.post(f"/v1/agent/approvals/{(await open_approval(world, using))['id']}/answer", choice="deny")
    told = await using
    assert told["isError"] and "admin does not allow" in told["content"][0]["text"]
    unknown = await result(world, claim, "tools/call", name="far__deny_it", arguments={})
    assert unknown["isError"] and "tool_not_found" in unknown["content"][0]["text"]
    assert caller.used == []


async def test_a_run_is_told_which_server_fails(world: World, caller: Caller) -> None:
    ok(await world.client.put("/v1/tool-servers/near", json={"url": URL}))
    caller.broken["far"] = Unavailable("far cannot be reached")
    listed = await result(world, await claimed(world), "tools/list")
    assert listed["_meta"]["codetether/problems"] == {"far": "far cannot be reached"}
    assert {tool["name"].partition("__")[0] for tool in listed["tools"]} == {"near"}


@ERAS
async def test_no_run_is_told_a_secret_by_a_server_that_fails(world: World, caller: Caller, era: str) -> None:
    """Neither by the list nor by a call, and whoever registers one is not either."""
    ok(await world.client.put("/v1/secrets/key", json={"value": SECRET}))
    claim, call = await claimed(world), {"name": "far__allow_it", "arguments": {}}
    caller.broken["far"] = Invalid("", f"far says: no {SECRET}", code="tool_refused")
    listed = await result(world, claim, "tools/list", era)
    unlisted = await result(world, claim, "tools/call", era, **call)
    registered = await world.client.put("/v1/tool-servers/far", json={"url": URL})
    told = [listed, unlisted, registered.json()]
    assert all("far says: no" in json.dumps(each) for each in told)
    assert SECRET not in json.dumps(told)


async def test_what_is_no_token_of_the_lease_tells_nothing(world: World, caller: Caller) -> None:
    claim, other = await claimed(world), await claimed(world)
    path, token = claim["tools_path"], claim["lease"]["token"]
    refused = [
        await post(world, path, None, "tools/list"),
        await post(world, path, "worker-token", "tools/list"),
        await post(world, path, "admin-token", "tools/list"),
        await post(world, path, other["lease"]["token"], "tools/list"),
        await post(world, f"{path}0", token, "tools/list"),
        await post(world, path.replace("default", "elsewhere"), token, "tools/list"),
    ]
    told = [{name: value for name, value in each.json().items() if name != "request_id"} for each in refused]
    assert [each.status_code for each in refused] == [401] * 6
    assert all(each.headers["www-authenticate"].startswith("Bearer") for each in refused)
    assert all(each == told[1] for each in told[1:])


async def test_the_token_is_good_for_nothing_else(world: World) -> None:
    claim = await claimed(world)
    async with client_of(world.app, headers={"Authorization": f"Bearer {claim['lease']['token']}"}) as stranger:
        for method, path in (("GET", "/v1/agent/tasks"), ("POST", "/mcp/v1/rpc"), ("POST", "/v1/worker/tasks/renew")):
            answer = await stranger.request(method, path, json={} if method == "POST" else None)
            assert answer.status_code == 401, path


async def test_it_ends_with_the_lease(world: World) -> None:
    claim = await claimed(world)
    world.clock.at += timedelta(seconds=60)
    ended = await post(world, claim["tools_path"], claim["lease"]["token"], "tools/list")
    assert ended.status_code == 401
    claim = await claimed(world)
    await world.post(f"/v1/agent/tasks/{claim['task']['id']}/cancel")
    ended = await post(world, claim["tools_path"], claim["lease"]["token"], "tools/list")
    assert ended.status_code == 401


async def test_a_worker_that_takes_no_lease_finds_no_tools(world: World) -> None:
    assert (await claimed(world, lease=False))["tools_path"] is None


async def test_there_is_nothing_but_tools(world: World) -> None:
    claim = await claimed(world)
    for method in ("resources/list", "prompts/list"):
        answer = await post(world, claim["tools_path"], claim["lease"]["token"], method)
        assert answer_in(answer)["error"]["code"] == -32601, method


async def test_pages_of_other_sites_do_not_ask(world: World) -> None:
    claim = await claimed(world)
    headers = named("tools/list", {}) | {"Authorization": f"Bearer {claim['lease']['token']}"}
    async with client_of(world.app, headers=headers | {"Origin": "https://evil.example"}) as page:
        answer = await page.post(claim["tools_path"], json=envelope("tools/list", {}))
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")


async def test_who_names_another_tenant_is_refused(world: World) -> None:
    claim = await claimed(world)
    headers = named("tools/list", {}) | {"Authorization": f"Bearer {claim['lease']['token']}"}
    async with client_of(world.app, headers=headers | {"X-Tenant-ID": "acme"}) as run:
        answer = await run.post(claim["tools_path"], json=envelope("tools/list", {}))
    assert answer.status_code == 404


async def test_a_server_that_leaves_keeps_no_run_waiting(world: World, caller: Caller) -> None:
    """Whoever waits for somebody's leave, or for a tool, is to ask another server."""
    claim = await claimed(world)
    call: dict[str, Any] = {"name": "far__ask_it", "arguments": {}}
    using = asyncio.ensure_future(post(world, claim["tools_path"], claim["lease"]["token"], "tools/call", **call))
    await open_approval(world, using)
    world.app.drain.begin()
    assert (await using).status_code == 503
    assert caller.used == []


@ERAS
async def test_what_nobody_waits_for_is_not_asked_any_more(world: World, caller: Caller, era: str) -> None:
    claim = await claimed(world)
    using = asyncio.ensure_future(result(world, claim, "tools/call", era, name="far__ask_it", arguments={}))
    asked = await open_approval(world, using)
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    ended = await world.get(f"/v1/agent/approvals/{asked['id']}")
    assert (ended["status"], ended["choice"], ended["answered_by"]) == ("answered", "deny", "worker")
    assert (await world.get(f"/v1/agent/tasks/{claim['task']['id']}"))["status"] == "running"
    assert caller.used == []


async def test_the_trail_says_who_used_what_and_nothing_of_the_arguments(world: World) -> None:
    claim = await claimed(world)
    arguments = {"q": "what nobody needs to know"}
    using = asyncio.ensure_future(result(world, claim, "tools/call", name="far__ask_it", arguments=arguments))
    await world.post(f"/v1/agent/approvals/{(await open_approval(world, using))['id']}/answer", choice="allow")
    await using
    found = (await world.get("/v1/audit/events", action="tool.used"))["events"]
    (used,) = found
    assert (used["actor"], used["resource"], used["outcome"]) == ("worker", "tool/far__ask_it", "success")
    assert used["metadata"]["answered_by"] == "admin" and used["metadata"]["task_id"] == claim["task"]["id"]
    whole = json.dumps(await world.get("/v1/audit/events", limit=500))
    assert "nobody needs to know" not in whole


async def test_a_tool_whose_name_nobody_could_say_is_left_out(world: World, caller: Caller) -> None:
    caller.names = ["allow_it", "x" * 128]
    kept = ok(await world.client.put("/v1/tool-servers/far", json={"url": URL}))
    assert [tool["offered"] for tool in kept["tools"]] == [True, False]
    listed = await result(world, await claimed(world), "tools/list")
    assert [tool["name"] for tool in listed["tools"]] == ["far__allow_it"]


@ERAS
async def test_a_server_that_misbehaves_takes_nothing_from_a_run(era: str, caplog: pytest.LogCaptureFixture) -> None:
    """Neither its tools nor those of others, and nothing of what it says is in the log."""
    tools = [
        {"name": "hinted", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": "yes please"}},
        {"name": "odd", "inputSchema": {"type": "object", "properties": 5}},
    ]
    answers = {"hinted": {"content": [{"type": "nonsense", "words": "nobody's business"}]}}
    good = serving([{"name": "good", "inputSchema": {"type": "object"}}], {})
    async with (
        misbehaving(serving(tools, answers)) as bad,
        misbehaving(good) as near,
        open_transport(allowed(["127.0.0.1"])) as transport,
        open_tool_servers(transport) as caller,
        open_world(caller=caller) as world,
    ):
        for name, url in (("far", bad), ("near", near)):
            ok(await world.client.put(f"/v1/tool-servers/{name}", json={"url": url}))
        claim = await claimed(world)
        listed = await result(world, claim, "tools/list", era)
        assert [tool["name"] for tool in listed["tools"]] == ["far__hinted", "near__good"]
        using = asyncio.ensure_future(result(world, claim, "tools/call", era, name="far__hinted", arguments={}))
        await world.post(f"/v1/agent/approvals/{(await open_approval(world, using))['id']}/answer", choice="allow")
        told = await using
        assert told["isError"] and "no result of a tool" in told["content"][0]["text"]
        (used,) = (await world.get("/v1/audit/events", action="tool.used"))["events"]
        assert used["outcome"] == "failure"
    assert "nobody's business" not in caplog.text


@define(eq=False)
class Slow(FakeClock):
    """Whose sleepers sleep until they are woken, and are counted."""

    woken: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(0))
    asleep: list[timedelta] = field(factory=list)

    async def sleep(self, duration: timedelta) -> None:
        self.asleep.append(duration)
        try:
            await self.woken.acquire()
        finally:
            self.asleep.remove(duration)
        self.at += duration


@ERAS
async def test_who_waits_hears_that_it_goes_on(anyio_backend: str, caller: Caller, era: str) -> None:
    """Hosts give up what they hear nothing of, and people take their time."""
    async with open_world(caller=caller, clock=(clock := Slow())) as world:
        ok(await world.client.put("/v1/tool-servers/far", json={"url": URL}))
        claim, call = await claimed(world), {"name": "far__ask_it", "arguments": {}}
        headers = {"Authorization": f"Bearer {claim['lease']['token']}", "Content-Type": "application/json"}
        headers |= named("tools/call", call, era) | {"Host": "server"}
        peer = Peer(world.app, claim["tools_path"], method="POST", headers=headers)
        peer.say(json.dumps(envelope("tools/call", call, era, progressToken="t")).encode())
        asked = await open_approval(world, peer.task)
        assert clock.asleep == [timedelta(seconds=10)] and b"notifications/progress" not in peer.body
        for _ in range(2):
            clock.woken.release()
        await peer.until(lambda peer: peer.body.count(b"notifications/progress") == 2)
        await world.post(f"/v1/agent/approvals/{asked['id']}/answer", choice="allow")
        await peer.end()
        *beats, answer = (json.loads(line[6:]) for line in peer.body.splitlines() if line.startswith(b"data: {"))
        assert [(beat["params"]["progressToken"], beat["params"]["progress"]) for beat in beats] == [("t", 1), ("t", 2)]
        assert all("person" in beat["params"]["message"] for beat in beats)
        assert answer["result"]["content"] == [{"type": "text", "text": "done"}]
        assert clock.asleep == []


async def test_who_wants_to_hear_nothing_does_not(anyio_backend: str, caller: Caller) -> None:
    async with open_world(caller=caller, clock=(clock := Slow())) as world:
        ok(await world.client.put("/v1/tool-servers/far", json={"url": URL}))
        claim = await claimed(world)
        using = asyncio.ensure_future(result(world, claim, "tools/call", name="far__ask_it", arguments={}))
        asked = await open_approval(world, using)
        assert clock.asleep == []
        await world.post(f"/v1/agent/approvals/{asked['id']}/answer", choice="allow")
        assert not (await using)["isError"]
