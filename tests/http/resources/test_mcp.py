"""MCP's endpoint as HTTP has it: who may come in, from where, with what; and where tokens are to be had."""

from __future__ import annotations

import json
from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from codetether_adapters.http import Application, Protected, create_app
from codetether_adapters.mcp.serving import Endpoint
from codetether_adapters.tokens import StaticToken, StaticTokens
from codetether_apps.settings import Settings, SettingsError, read_settings
from codetether_apps.wiring.mcp import RPC, catalogue_of, mcp_routes
from codetether_core.services import RolePolicy
from tests.http.coverage import covers
from tests.http.harness import Peer
from tests.http.resources.world import World, open_world
from tests.mcp.hub import HANDSHAKE, MODERN, envelope, named

WELL_KNOWN = "/.well-known/oauth-protected-resource"
LIST = "tools/list"
PROTECTED = Protected(path=RPC, issuer="https://id.test/realms/team", scopes=("openid", "profile"))


def asking(world: World, *, prefix: str = "", public_url: str = "", **settings: Any) -> Application:
    """An application that has an OpenID provider."""
    policy, catalogue = RolePolicy(), catalogue_of(Settings(), world.services, RolePolicy())
    routes = mcp_routes(catalogue, Endpoint.of(catalogue), policy, prefix=prefix, protected=PROTECTED)
    tokens = StaticTokens([StaticToken.of("eve", "eve-token", ["viewer"])])
    return create_app(
        world.services, authenticator=tokens, authorizer=policy, routes=routes, public_url=public_url, **settings
    )


def client(app: Application, base: str = "http://hub.test") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base)


@covers(f"GET {WELL_KNOWN}", f"GET {WELL_KNOWN}/{{resource:path}}")
async def test_who_is_not_recognized_is_told_where_tokens_are_to_be_had() -> None:
    async with open_world() as world:
        assert (await world.client.get(f"{WELL_KNOWN}{RPC}")).status_code == 404
        async with client(asking(world)) as asked:
            refused = await asked.post(RPC, json=envelope(LIST, {}))
            assert refused.status_code == 401
            told = refused.headers["www-authenticate"]
            where = f'resource_metadata="http://hub.test{WELL_KNOWN}{RPC}"'
            assert told == f'Bearer realm="codetether", {where}, scope="openid profile"'
            for path in (f"{WELL_KNOWN}{RPC}", WELL_KNOWN):
                answer = await asked.get(path)
                assert answer.headers["access-control-allow-origin"] == "*"
                assert answer.json() == {
                    "resource": f"http://hub.test{RPC}",
                    "authorization_servers": ["https://id.test/realms/team"],
                    "scopes_supported": ["openid", "profile"],
                    "bearer_methods_supported": ["header"],
                    "resource_name": "CodeTether",
                }
            assert (await asked.get(f"{WELL_KNOWN}/mcp")).json()["resource"] == "http://hub.test/mcp"
            assert (await asked.get(f"{WELL_KNOWN}/v1/agent/tasks")).status_code == 404


async def test_who_may_not_is_told_what_it_takes() -> None:
    async with open_world() as world, client(asking(world)) as asked:
        params = {"name": "create_task", "arguments": {"codebase": "global", "prompt": "p"}}
        for era in (MODERN, HANDSHAKE):
            headers = {"Authorization": "Bearer eve-token", **named("tools/call", params, era)}
            refused = await asked.post(RPC, json=envelope("tools/call", params, era), headers=headers)
            assert refused.status_code == 403
            assert refused.headers["www-authenticate"] == (
                'Bearer realm="codetether", error="insufficient_scope", scope="tasks:write", '
                f'resource_metadata="http://hub.test{WELL_KNOWN}{RPC}"'
            )


async def test_metadata_is_at_the_hosts_root_whatever_is_before_our_paths() -> None:
    async with open_world() as world:
        app = asking(world, prefix="/api", public_url="https://hub.example/team", base_path="/team")
        async with client(app) as asked:
            refused = await asked.post("/team/api/mcp/v1/rpc", json={})
            where = f"https://hub.example{WELL_KNOWN}/team/api{RPC}"
            assert f'resource_metadata="{where}"' in refused.headers["www-authenticate"]
            answer = await asked.get(httpx.URL(where).path)
            assert answer.json()["resource"] == f"https://hub.example/team/api{RPC}"


async def test_metadata_is_where_the_challenge_says_below_a_proxys_prefix() -> None:
    headers = {"X-Forwarded-Prefix": "/team"}
    async with (
        open_world() as world,
        client(asking(world, trusted_proxies=[ip_network("127.0.0.0/8")])) as asked,
    ):
        where = f"http://hub.test{WELL_KNOWN}/team{RPC}"
        refused = await asked.post(RPC, json={}, headers=headers)
        assert f'resource_metadata="{where}"' in refused.headers["www-authenticate"]
        answer = await asked.get(httpx.URL(where).path, headers=headers)
        assert answer.json()["resource"] == f"http://hub.test/team{RPC}"
    async with open_world() as world, client(asking(world)) as asked:  # who is no trusted proxy is not believed
        refused = await asked.post(RPC, json={}, headers=headers)
        assert f'resource_metadata="http://hub.test{WELL_KNOWN}{RPC}"' in refused.headers["www-authenticate"]
        assert (await asked.get(httpx.URL(where).path, headers=headers)).status_code == 404


@pytest.mark.parametrize("name", ["CODETETHER_MCP_DENY", "CODETETHER_MCP_ALLOW"])
async def test_a_tool_that_there_is_not_cannot_be_left_out(name: str) -> None:
    async with open_world() as world:
        settings = read_settings(environment={name: "get_task,cancel_tsk"})
        with pytest.raises(SettingsError, match=f"{name}\\) names cancel_tsk, which is no tool"):
            catalogue_of(settings, world.services, RolePolicy())


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
async def test_there_is_nothing_but_post(method: str) -> None:
    async with open_world() as world:
        answer = await world.client.request(method, RPC, headers={"Accept": "text/event-stream"})
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Accept": "text/html"}, 406),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Origin": "https://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://hub.test"}, 200),
        ({"Accept": "application/json"}, 200),
        ({"Accept": "*/*"}, 200),
        ({"MCP-Protocol-Version": "2026-01-01"}, 400),
        ({"Mcp-Method": "tools/call"}, 400),
    ],
)
async def test_headers_are_looked_at(headers: dict[str, str], status: int) -> None:
    async with open_world() as world:
        answer = await world.client.post(RPC, json=envelope(LIST, {}), headers=named(LIST, {}) | headers)
        assert answer.status_code == status, answer.text


async def test_a_client_of_the_handshake_that_takes_only_json_gets_json() -> None:
    async with open_world() as world:
        headers = named(LIST, {}, HANDSHAKE) | {"Accept": "application/json"}
        answer = await world.client.post(RPC, json=envelope(LIST, {}, HANDSHAKE), headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert len(answer.json()["result"]["tools"]) == 14


async def test_a_body_is_bounded() -> None:
    async with open_world() as world:
        body = json.dumps(envelope(LIST, {"cursor": "x" * 5 * 2**20})).encode()
        headers = named(LIST, {}) | {"Content-Type": "application/json"}
        assert (await world.client.post(RPC, content=body, headers=headers)).status_code == 413


@pytest.mark.parametrize(("host", "status"), [("evil.test:8000", 421), ("localhost:8000", 200), ("[::1]:8000", 200)])
async def test_a_server_on_loopback_answers_to_no_foreign_name(host: str, status: int) -> None:
    async with open_world() as world:
        headers = named(LIST, {}) | {"Content-Type": "application/json", "Authorization": "Bearer admin-token"}
        peer = Peer(OnLoopback(world.app), RPC, method="POST", headers=headers | {"Host": host})
        peer.say(json.dumps(envelope(LIST, {})).encode())
        await peer.end()
        assert peer.status == status, peer.body


class OnLoopback:
    """An application that was reached there."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app({**scope, "server": ("127.0.0.1", 8000)}, receive, send)


async def test_unknown_methods_and_batches_are_errors_of_the_protocol() -> None:
    async with open_world() as world:
        answer = await world.client.post(RPC, json=envelope("tools/fly", {}), headers=named("tools/fly", {}))
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, -32601)
        for body in ([envelope(LIST, {})], [], 1, None, {"jsonrpc": "2.0", "id": 1, "result": {}}):
            answer = await world.client.post(
                RPC, content=json.dumps(body), headers=named(LIST, {}) | {"Content-Type": "application/json"}
            )
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32600), body


@pytest.mark.parametrize("era", [MODERN, HANDSHAKE])
async def test_the_trail_tells_who_did_what_once(era: str) -> None:
    """A change by itself, what changes nothing as counts, a refusal by what it takes."""
    async with open_world() as world:

        async def call(who: httpx.AsyncClient, name: str, **arguments: Any) -> int:
            params = {"name": name, "arguments": arguments}
            answer = await who.post(
                RPC, json=envelope("tools/call", params, era), headers=named("tools/call", params, era)
            )
            return answer.status_code

        assert await call(world.editor, "create_task", codebase="global", prompt="p") == 200
        assert await call(world.editor, "list_tasks") == 200
        assert await call(world.editor, "get_task", task_id="unknown") == 200
        assert await call(world.viewer, "create_task") == 403
        await world.services.recording.flush()
        events = (await world.get("/v1/audit/events"))["events"]
        told = {
            (each["actor"], each["action"], each["resource"].rpartition("_")[0], each["outcome"]) for each in events
        }
        at = f"{RPC} tools/call"
        assert told == {
            ("editor", "task.created", "task/tsk", "success"),
            ("editor", "tasks:read", f"{at} list", "success"),
            ("editor", "tasks:read", f"{at} get", "failure"),
            ("viewer", "tasks:write", f"{at} create", "denied"),
        }
        assert all(each["ip"] == "127.0.0.1" for each in events)
