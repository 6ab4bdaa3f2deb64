"""Servers of tools: registered by who keeps the installation going, seen by all who look at it, never with a key."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest

from codetether_adapters.http.resources import shapes
from codetether_core.errors import Invalid, Unavailable
from tests.http.coverage import covers
from tests.http.resources.world import World, ok, open_world
from tests.tool_servers.caller import Caller

pytestmark = pytest.mark.anyio

AT = "/v1/tool-servers"
URL = "https://tools.example/mcp"
SECRET = "a-key-of-ours-0123456789"


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.fixture
async def world(anyio_backend: str, caller: Caller) -> AsyncIterator[World]:
    async with open_world(caller=caller) as world:
        ok(await world.client.put("/v1/secrets/issues-key", json={"value": SECRET}))
        yield world


async def put(world: World, name: str = "issues", **told: Any) -> Any:
    return ok(await world.client.put(f"{AT}/{name}", json={"url": URL, **told}))


@covers("PUT /v1/tool-servers/{name}")
@covers("GET /v1/tool-servers")
@covers("GET /v1/tool-servers/{name}")
@covers("DELETE /v1/tool-servers/{name}")
async def test_a_server_is_registered_listed_and_forgotten(world: World) -> None:
    found = await put(world, tools=["sea*"], description="Ours", timeout_seconds=2.5)
    assert found["tools"] == [
        {"name": "search", "title": "Search", "description": "Finds issues", "offered": True},
        {"name": "delete", "title": None, "description": "", "offered": False},
    ]
    assert (found["problem"], found["hint"]) == (None, "")
    kept = found["server"]
    told = {"name": "issues", "url": URL, "description": "Ours", "tools": ["sea*"], "timeout_seconds": 2.5}
    assert told.items() <= kept.items() and kept["registered_by"] == "admin"
    assert await world.get(AT) == {"tool_servers": [kept], "total": 1}
    assert await world.get(f"{AT}/issues") == kept
    changed = (await put(world))["server"]
    assert (changed["tools"], changed["description"], changed["timeout_seconds"]) == (["*"], "", 30.0)
    assert ok(await world.client.delete(f"{AT}/issues")) == changed
    assert (await world.client.delete(f"{AT}/issues")).status_code == 404
    assert (await world.client.get(f"{AT}/issues")).json()["code"] == "tool_server_not_found"
    trail = (await world.get("/v1/audit/events", action="tool_server.*"))["events"]
    assert sorted(each["action"] for each in trail) == [
        "tool_server.changed",
        "tool_server.registered",
        "tool_server.removed",
    ]
    assert {(each["resource"], each["actor"]) for each in trail} == {("tool_server/issues", "admin")}


@covers("POST /v1/tool-servers/{name}/check")
async def test_it_is_asked_how_it_is(world: World, caller: Caller) -> None:
    first = await put(world)
    world.clock.advance(seconds=5)
    well = await world.post(f"{AT}/issues/check")
    assert well == first | {"checked_at": well["checked_at"]} and well["checked_at"] > first["checked_at"]
    caller.refusal = Unavailable("There was no answer", hint="start it")
    unwell = await world.post(f"{AT}/issues/check")
    assert (unwell["server"], unwell["tools"]) == (first["server"], [])
    assert (unwell["problem"], unwell["hint"]) == ("There was no answer", "start it")
    assert (await world.client.post(f"{AT}/none/check")).status_code == 404
    for answer, shape in ((unwell, shapes.ToolServerHealth), (unwell["server"], shapes.ToolServer)):
        assert answer.keys() == {each.name for each in attrs.fields(shape)}


async def test_how_it_knows_us_is_told_to_those_who_see_secrets(world: World, caller: Caller) -> None:
    """The secret itself to nobody but the server."""
    told = (await put(world, secret="issues-key", header="X-Key", prefix="key="))["server"]
    sign_in = {"signs_in": True, "secret": "issues-key", "header": "X-Key", "prefix": "key="}
    assert sign_in.items() <= told.items()
    for client in (world.viewer, world.editor, world.worker):
        seen = ok(await client.get(f"{AT}/issues"))
        assert seen == told | {"secret": None, "header": None, "prefix": None}
        assert ok(await client.get(AT))["tool_servers"] == [seen]
    assert caller.asked[-1][1] == SECRET
    trail = await world.get("/v1/audit/events")
    assert SECRET not in json.dumps([told, trail, await world.get("/v1/monitor/messages")])


async def test_who_may_only_look_changes_nothing_and_has_nobody_asked(world: World, caller: Caller) -> None:
    await put(world)
    asked = len(caller.asked)
    for client in (world.viewer, world.editor, world.worker):
        for method, path in (("PUT", AT + "/issues"), ("DELETE", AT + "/issues"), ("POST", AT + "/issues/check")):
            refused = await client.request(method, path, json={"url": URL})
            assert (refused.status_code, refused.json()["permission"]) == (403, "tool_servers:write")
    assert len(caller.asked) == asked


async def test_a_secret_is_named_by_whoever_may_say_who_is_told_it(world: World, caller: Caller) -> None:
    made = await world.client.post("/v1/auth/keys", json={"name": "ops", "scopes": ["tool_servers:*"]})
    key = {"Authorization": f"Bearer {made.json()['token']}"}
    refused = await world.client.put(f"{AT}/issues", json={"url": URL, "secret": "issues-key"}, headers=key)
    assert (refused.status_code, refused.json()["permission"]) == (403, "secrets:write")
    assert not caller.asked
    assert (await world.client.put(f"{AT}/issues", json={"url": URL}, headers=key)).status_code == 200


@pytest.mark.parametrize(
    ("name", "told", "status", "field"),
    [
        ("iss__ues", {}, 422, "name"),
        ("Issues", {}, 422, "name"),
        ("issues", {"url": "ftp://tools.example/"}, 422, "url"),
        ("issues", {"url": "https://ann:pass@tools.example/"}, 422, "url"),
        ("issues", {"url": f"{URL}?key={SECRET}"}, 422, "url"),
        ("issues", {"tools": []}, 422, "tools"),
        ("issues", {"tools": "*"}, 422, "tools"),
        ("issues", {"timeout_seconds": 0.5}, 422, "timeout_seconds"),
        ("issues", {"timeout_seconds": 1e300}, 422, "timeout_seconds"),
        ("issues", {"header": "X-Key"}, 422, "header"),
        ("issues", {"secret": "issues-key", "header": "Host"}, 422, "header"),
        ("issues", {"secret": "issues-key", "prefix": "a\nb"}, 422, "prefix"),
        ("issues", {"secret": "none"}, 404, None),
    ],
)
async def test_what_cannot_be_is_refused(
    world: World, caller: Caller, name: str, told: dict[str, Any], status: int, field: str | None
) -> None:
    refused = await world.client.put(f"{AT}/{name}", json={"url": URL} | told)
    assert (refused.status_code, refused.json().get("field")) == (status, field)
    assert SECRET not in refused.text and "pass@" not in refused.text
    assert not caller.asked and (await world.get(AT))["total"] == 0


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(Unavailable("There was no answer"), 503), (Invalid("url", "may not be asked", code="url_not_allowed"), 422)],
)
async def test_a_wrong_url_is_told_at_once(world: World, caller: Caller, refusal: Any, status: int) -> None:
    caller.refusal = refusal
    refused = await world.client.put(f"{AT}/issues", json={"url": URL})
    assert (refused.status_code, refused.json()["code"]) == (status, refusal.code)
    assert (await world.get(AT))["total"] == 0


async def test_a_server_without_a_way_out_has_none() -> None:
    async with open_world() as world:
        refused = await world.client.put(f"{AT}/issues", json={"url": URL})
        assert (refused.status_code, refused.json()["code"]) == (501, "not_configured")
        assert (await world.get(AT))["total"] == 0
