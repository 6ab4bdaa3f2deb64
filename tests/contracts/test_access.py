"""Security is tested from outside: every served route, anonymous, with a wrong token and with each role.

Who may do what is what ``contracts/policy/cases.json`` says.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest

from codetether_adapters.http import Route
from codetether_core.access import LEASE, PUBLIC
from tests.contracts.policy import MATRIX, ROLE_NAMES
from tests.http.conformance import table
from tests.http.harness import Peer
from tests.http.resources.world import World, open_world

OPEN = {
    "/.well-known/agent-card.json",
    "/.well-known/agent.json",
    "/.well-known/ai-catalog.json",
    "/.well-known/jwks.json",
    "/.well-known/mcp/catalog.json",
    "/health",
    "/livez",
    "/mcp/server-card",
    "/mcp/v1/rpc/server-card",
    "/readyz",
    "/startupz",
    "/version",
    "/v1/auth/status",
}
SIGN_IN = {
    "/v1/auth/login": 400,
    "/v1/auth/refresh": 422,
    "/v1/auth/oidc/login": 501,
    "/v1/auth/oidc/callback": 501,
    "/.well-known/oauth-protected-resource": 404,
    "/.well-known/oauth-protected-resource/{resource:path}": 404,
}
"""Open as well; they refuse a request for what it lacks, or because there is no identity provider."""

BY_LEASE = {"/mcp/v1/runs/{tenant}/{task_id}"}
"""For holders of leases, none of whom is here: what somebody may do otherwise counts for nothing."""

CREDENTIALS: dict[str, dict[str, str]] = {
    "anonymous": {},
    "wrong": {"Authorization": "Bearer of-nobody"},
    "empty": {"Authorization": "Bearer"},
    "basic": {"Authorization": "Basic b2Y6bm9ib2R5"},
    "digest": {"Authorization": 'Digest username="admin"'},
    "elsewhere": {"X-Api-Key": "admin-token", "Cookie": "token=admin-token"},
}


def routes() -> Iterator[tuple[Route, str]]:
    """Every route, and a path to it."""
    for route in table():
        yield route, route.path.replace("{", "").replace("}", "")


async def status(world: World, route: Route, path: str, headers: dict[str, str]) -> int:
    """What a request without a body is answered; of a stream only the head is read."""
    peer = Peer(world.app, path, method=route.method, headers=headers)
    peer.say()
    try:
        await peer.until(lambda peer: peer.status is not None)
    finally:
        peer.leave()
        await peer.end()
    return peer.status or 0


def test_the_table_knows_every_permission_and_what_is_open() -> None:
    assert {route.permission for route in table()} <= MATRIX.keys() | {LEASE, PUBLIC}
    assert {route.path for route in table() if route.permission == PUBLIC} == OPEN | SIGN_IN.keys()
    assert {route.path for route in table() if route.permission == LEASE} == BY_LEASE


@pytest.mark.parametrize("credential", CREDENTIALS)
async def test_nobody_is_refused_everywhere(credential: str) -> None:
    async with open_world() as world:
        for route, path in routes():
            found = await status(world, route, path, CREDENTIALS[credential])
            expected = 200 if route.path in OPEN else SIGN_IN.get(route.path, 401)
            assert found == expected, (route.method, route.path)


async def test_a_token_in_the_query_is_none() -> None:
    async with (
        open_world() as world,
        httpx.AsyncClient(transport=httpx.ASGITransport(world.app), base_url="http://hub.test") as client,
    ):
        for route, path in routes():
            if route.path not in OPEN | SIGN_IN.keys():
                query = {"token": "admin-token", "access_token": "admin-token"}
                assert (await client.request(route.method, path, params=query)).status_code == 401, route.path


@pytest.mark.parametrize("role", ROLE_NAMES)
async def test_each_role_may_do_what_is_written_here_and_nothing_else(role: str) -> None:
    async with open_world() as world:
        for route, path in routes():
            async with asyncio.timeout(5):
                found = await status(world, route, path, {"Authorization": f"Bearer {role}-token"})
            allowed = route.path in OPEN | SIGN_IN.keys() or role in MATRIX.get(route.permission, ())
            assert (found not in (401, 403)) == allowed, (route.method, route.path, found)
            assert found < 500 or found == SIGN_IN.get(route.path), (route.method, route.path)


@pytest.mark.parametrize(
    ("page", "proof"),
    [("same-origin", None), ("same-origin", "wrong"), ("cross-site", "right"), ("same-site", "right"), (None, "right")],
)
async def test_no_page_but_ours_changes_anything_with_a_browsers_cookie(page: str | None, proof: str | None) -> None:
    """Though it is an administrator's: every route that is no GET refuses; of the others those that are streams."""
    async with open_world() as world, signed_in_browser(world) as (cookie, csrf):
        told = {"Sec-Fetch-Site": page, "X-CSRF-Token": csrf if proof == "right" else proof}
        headers = cookie | {name: value for name, value in told.items() if value is not None}
        refused, answered = 0, 0
        for route, path in routes():
            found = await status(world, route, path, headers)
            if route.path in OPEN | SIGN_IN.keys():
                assert found == SIGN_IN.get(route.path, 200), route.path
            elif route.path in BY_LEASE:
                assert found == 401, route.path
            elif route.method != "GET" or (route.stream is not None and page in ("cross-site", "same-site")):
                assert found == 403, (route.method, route.path)
                refused += 1
            else:
                assert found not in (401, 403), (route.method, route.path)
                answered += 1
        assert refused > 50 and answered > 50


async def test_a_page_of_ours_may_do_with_it_what_its_sign_in_may() -> None:
    async with open_world() as world, signed_in_browser(world) as (cookie, csrf):
        headers = cookie | {"Sec-Fetch-Site": "same-origin", "X-CSRF-Token": csrf}
        for route, path in sorted(routes(), key=lambda each: each[0].path == "/v1/auth/logout"):
            found = await status(world, route, path, headers)
            assert (found in (401, 403)) == (route.path in BY_LEASE), (route.method, route.path)
        assert await status(world, *next(routes()), headers) == 401  # it signed out in the end


@asynccontextmanager
async def signed_in_browser(world: World) -> AsyncIterator[tuple[dict[str, str], str]]:
    """The headers with which a browser shows an administrator's cookie, and what its pages show besides."""
    account = {"name": "root", "password": "correct horse", "roles": ["admin"]}
    assert (await world.client.post("/v1/auth/accounts", json=account)).status_code == 201
    async with httpx.AsyncClient(transport=httpx.ASGITransport(world.app), base_url="http://localhost") as browser:
        body = {"username": "root", "password": "correct horse", "cookies": True}
        answer = await browser.post("/v1/auth/login", json=body, headers={"Origin": "http://localhost"})
        assert answer.status_code == 200, answer.text
        cookie = f"a=b; ct_session={browser.cookies['ct_session']}"
        yield {"Host": "localhost", "Cookie": cookie}, answer.json()["csrf_token"]


async def test_what_a_role_may_not_do_is_not_done() -> None:
    async with open_world() as world:
        codebase = await world.codebase()
        for client in (world.viewer, world.worker):
            for path in (f"/v1/agent/codebases/{codebase}/tasks", "/v1/opencode/tasks", "/v1/agent/messages"):
                answer = await client.post(path, json={"prompt": "p", "to": "a", "body": "b"})
                expected = 403 if client is world.viewer or not path.endswith("messages") else 404
                assert answer.status_code == expected, path
        assert await world.get("/v1/agent/tasks") == []
