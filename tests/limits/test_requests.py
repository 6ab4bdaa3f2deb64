"""What is answered to who asks too often."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from codetether_adapters.http import create_app
from codetether_adapters.http.resources import all_routes
from codetether_adapters.limits import open_windows
from codetether_adapters.memory import open_backend
from codetether_core.services import RolePolicy, assemble
from tests.http.harness import TOKENS, client_of
from tests.http.resources.world import KEY, CountingDice, FakeClock, Quick

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def limited(**rules: str) -> AsyncIterator[httpx.AsyncClient]:
    """A server behind a proxy at 127.0.0.1, which is where the client says that it is."""
    async with open_backend() as backend, open_windows(rules) as limiter:
        services = assemble(backend, FakeClock(), CountingDice(), key=KEY, passwords=Quick())
        app = create_app(
            services,
            authenticator=TOKENS,
            authorizer=RolePolicy(),
            routes=all_routes(),
            limiter=limiter,
            trusted_proxies=[ip_network("127.0.0.1/32")],
        )
        async with client_of(app) as client:
            yield client


def by(name: str, address: str = "192.0.2.1") -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {name}-token", "X-Forwarded-For": address}}


async def test_a_principal_that_asks_too_often_is_told_when_to_come_again() -> None:
    """Others go on, and so do words about what runs."""
    async with limited(requests="2/day") as client:
        for _ in range(2):
            assert (await client.get("/v1/agent/tasks", **by("editor"))).status_code == 200
        refused = await client.get("/v1/agent/tasks", **by("editor", "192.0.2.2"))
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert refused.headers["ratelimit-limit"] == "2" and refused.headers["ratelimit-remaining"] == "0"
        assert refused.headers["retry-after"] == refused.headers["ratelimit-reset"] and int(
            refused.headers["retry-after"]
        )
        assert (await client.get("/v1/agent/tasks", **by("viewer"))).status_code == 200
        for _ in range(5):
            beat = await client.post("/v1/worker/tasks/heartbeat", json={"task_id": "t"}, **by("worker"))
            assert beat.status_code not in (401, 403, 429)


async def test_guessing_is_slowed_down_and_costs_nobody_else() -> None:
    """A token that counts does so from the same address still."""
    async with limited(failures="2/day") as client:
        for _ in range(2):
            assert (await client.get("/v1/agent/tasks", **by("nobody"))).status_code == 401
        assert (await client.get("/v1/agent/tasks", **by("nobody"))).status_code == 429
        assert (await client.get("/v1/agent/tasks", **by("nobody", "192.0.2.2"))).status_code == 401
        assert (await client.get("/v1/agent/tasks", **by("editor"))).status_code == 200


@pytest.mark.parametrize("path", ["login", "refresh"])
async def test_signing_in_is_tried_only_so_often(path: str) -> None:
    """From one address, whoever it is; others are kept from nothing, not even under the same name."""
    body = {"username": "ann", "password": "guess", "refresh_token": "guess"}
    async with limited(sign_ins="2/day") as client:
        for _ in range(2):
            assert (await client.post(f"/v1/auth/{path}", json=body, **by("x"))).status_code == 401
        assert (await client.post(f"/v1/auth/{path}", json=body | {"username": "bob"}, **by("x"))).status_code == 429
        assert (await client.post(f"/v1/auth/{path}", json=body, **by("x", "192.0.2.2"))).status_code == 401


async def test_an_own_password_is_guessed_only_so_often() -> None:
    async with limited(sign_ins="2/day") as client:
        body = {"old_password": "guess", "new_password": "another horse"}
        for expected in (404, 404, 429):
            assert (await client.put("/v1/auth/password", json=body, **by("editor"))).status_code == expected


async def test_an_ipv6_client_counts_as_its_network() -> None:
    """The rest of the address is its own to choose."""
    async with limited(failures="1/day") as client:
        for address, expected in (("2001:db8::1", 401), ("2001:db8::2:3", 429), ("2001:db8:0:1::1", 401)):
            assert (await client.get("/v1/agent/tasks", **by("nobody", address))).status_code == expected
