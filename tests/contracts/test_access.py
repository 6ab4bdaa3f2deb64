"""Security is tested from outside: every served route, anonymous, with a wrong token and with each role.

Who may do what is what ``contracts/policy/cases.json`` says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from codetether_adapters.http import Route
from codetether_core.access import PUBLIC
from tests.contracts.policy import MATRIX, ROLE_NAMES
from tests.http.conformance import table
from tests.http.harness import Peer
from tests.http.resources.world import World, open_world

OPEN = {"/.well-known/agent-card.json", "/health", "/livez", "/readyz", "/startupz", "/version", "/v1/auth/status"}
SIGN_IN = {"/v1/auth/login", "/v1/auth/refresh"}
"""Open as well; they refuse a request without a body for what it lacks."""

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
    assert {route.permission for route in table()} <= MATRIX.keys() | {PUBLIC}
    assert {route.path for route in table() if route.permission == PUBLIC} == OPEN | SIGN_IN


@pytest.mark.parametrize("credential", CREDENTIALS)
async def test_nobody_is_refused_everywhere(credential: str) -> None:
    async with open_world() as world:
        for route, path in routes():
            found = await status(world, route, path, CREDENTIALS[credential])
            expected = 200 if route.path in OPEN else 400 if route.path in SIGN_IN else 401
            assert found == expected, (route.method, route.path)


async def test_a_token_in_the_query_is_none() -> None:
    async with (
        open_world() as world,
        httpx.AsyncClient(transport=httpx.ASGITransport(world.app), base_url="http://hub.test") as client,
    ):
        for route, path in routes():
            if route.path not in OPEN | SIGN_IN:
                query = {"token": "admin-token", "access_token": "admin-token"}
                assert (await client.request(route.method, path, params=query)).status_code == 401, route.path


@pytest.mark.parametrize("role", ROLE_NAMES)
async def test_each_role_may_do_what_is_written_here_and_nothing_else(role: str) -> None:
    async with open_world() as world:
        for route, path in routes():
            async with asyncio.timeout(5):
                found = await status(world, route, path, {"Authorization": f"Bearer {role}-token"})
            allowed = route.path in OPEN | SIGN_IN or role in MATRIX[route.permission]
            assert (found not in (401, 403)) == allowed, (route.method, route.path, found)
            assert found < 500, (route.method, route.path)


async def test_what_a_role_may_not_do_is_not_done() -> None:
    async with open_world() as world:
        codebase = await world.codebase()
        for client in (world.viewer, world.worker):
            for path in (f"/v1/agent/codebases/{codebase}/tasks", "/v1/opencode/tasks", "/v1/agent/messages"):
                answer = await client.post(path, json={"prompt": "p", "to": "a", "body": "b"})
                expected = 403 if client is world.viewer or not path.endswith("messages") else 404
                assert answer.status_code == expected, path
        assert await world.get("/v1/agent/tasks") == []
