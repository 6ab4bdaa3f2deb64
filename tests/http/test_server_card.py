"""MCP's server card and the catalogue that names it: for everybody, with our own address, and not sent again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from mcp_types.version import SUPPORTED_PROTOCOL_VERSIONS

from codetether_adapters.http import Application
from codetether_adapters.mcp.discovery import VERSIONS
from codetether_adapters.mcp.serving import Endpoint
from codetether_apps.settings import Settings
from codetether_apps.wiring.mcp import catalogue_of, mcp_routes
from codetether_core.services import RolePolicy
from tests.http.coverage import covers
from tests.http.harness import application, client_of
from tests.http.resources.world import open_world
from tests.mcp.hub import RPC, envelope, named

CARD = f"{RPC}/server-card"
CATALOG = "/.well-known/ai-catalog.json"
OLD = "/.well-known/mcp/catalog.json"
NAME = re.compile(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+")


async def app(*, is_served: bool = True, prefix: str = "", **settings: Any) -> Application:
    async with open_world() as world:
        catalogue = catalogue_of(Settings(), world.services, RolePolicy())
        endpoint = Endpoint.of(catalogue) if is_served else None
        return application(*mcp_routes(catalogue, endpoint, RolePolicy(), prefix=prefix), **settings)


async def told(path: str, headers: Mapping[str, str] | None = None, **settings: Any) -> httpx.Response:
    async with client_of(await app(**settings)) as client:
        return await client.get(path, headers=headers)


@covers(f"GET {CARD}", "GET /mcp/server-card")
@pytest.mark.parametrize("path", [RPC, "/mcp"])
async def test_anybody_learns_who_serves_where_and_nothing_of_what_there_is(path: str) -> None:
    answer = await told(f"{path}/server-card", public_url="https://hub.example.com")
    assert answer.headers["content-type"] == "application/mcp-server-card+json"
    card = answer.json()
    assert card == {
        "$schema": "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json",
        "name": "com.example.hub/codetether",
        "title": "CodeTether",
        "description": "A self-hosted control plane for AI coding agents.",
        "version": card["version"],
        "remotes": [
            {
                "type": "streamable-http",
                "url": f"https://hub.example.com{path}",
                "supportedProtocolVersions": ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"],
            }
        ],
    }


@covers(f"GET {CATALOG}", f"GET {OLD}")
@pytest.mark.parametrize(("path", "media_type"), [(CATALOG, "application/ai-catalog+json"), (OLD, "application/json")])
async def test_the_catalogue_names_the_card_where_it_is(path: str, media_type: str) -> None:
    async with client_of(await app(prefix="/api", public_url="https://hub.example.com/team")) as client:
        answer = await client.get(path)
        assert answer.headers["content-type"] == media_type
        (entry,) = answer.json()["entries"]
        assert entry["identifier"] == "urn:air:hub.example.com:mcp:codetether"
        assert entry["url"] == f"https://hub.example.com/team/api{CARD}"
        card = await client.get(f"/api{CARD}")
        assert card.headers["content-type"] == entry["type"]
        assert card.json()["remotes"][0]["url"] == f"https://hub.example.com/team/api{RPC}"


@pytest.mark.parametrize("path", [CARD, CATALOG, OLD])
async def test_it_is_for_other_websites_too_and_not_sent_again_to_who_has_it(path: str) -> None:
    async with client_of(await app()) as client:
        answer = await client.get(path, headers={"Origin": "https://elsewhere.test"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-expose-headers"] == "ETag"
        assert answer.headers["cache-control"] == "public, max-age=3600"
        tag = answer.headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = await client.get(path, headers={"If-None-Match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert (await client.get(path, headers={"If-None-Match": '"other"'})).status_code == 200
        other = await client.get(path, headers={"Host": "other.test"})
        assert other.headers["etag"] != tag


async def test_behind_a_proxy_it_is_where_the_proxy_has_it() -> None:
    headers = {"X-Forwarded-Prefix": "/team", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "gate.test"}
    answer = await told(CARD, headers, trusted_proxies=[ip_network("127.0.0.0/8")])
    assert answer.json()["remotes"][0]["url"] == f"https://gate.test/team{RPC}"
    stranger = await told(CARD, headers)
    assert stranger.json()["remotes"][0]["url"] == f"http://hub.test{RPC}"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost:9000", "localhost/codetether"),
        ("127.0.0.1:9000", "127.0.0.1/codetether"),
        ("[::1]:9000", "--1/codetether"),
        ("hub_1.example", "example.hub-1/codetether"),
        ("HUB.example", "example.hub/codetether"),
    ],
)
async def test_its_name_is_one_wherever_it_is_found(host: str, name: str) -> None:
    card = (await told(CARD, {"Host": host})).json()
    assert card["name"] == name
    assert NAME.fullmatch(name)


async def test_there_is_no_card_of_what_is_not_served() -> None:
    assert (await told(CARD, is_served=False)).status_code == 404
    assert (await told(CATALOG, is_served=False)).json() == {"specVersion": "1.0", "entries": []}


async def test_it_says_what_the_server_says_itself() -> None:
    async with open_world() as world:
        card = (await world.client.get(CARD)).json()
        headers = named("server/discover", {})
        found = (await world.client.post(RPC, json=envelope("server/discover", {}), headers=headers)).json()["result"]
        assert card["version"] == found["_meta"]["io.modelcontextprotocol/serverInfo"]["version"]
        assert set(found["supportedVersions"]) <= set(VERSIONS) <= set(SUPPORTED_PROTOCOL_VERSIONS)
