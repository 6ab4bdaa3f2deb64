"""A request may name the tenant that it means. Another than the caller's is refused, and never quietly replaced."""

from __future__ import annotations

from typing import Final

import pytest

from codetether_adapters.opa import RegoPolicy, shipped_policy
from codetether_core.access import DEFAULT_TENANT, LEASE, PUBLIC
from tests.contracts.test_access import routes, status
from tests.http.resources.world import World, open_world

pytestmark = pytest.mark.anyio

ADMIN: Final = {"Authorization": "Bearer admin-token"}
TASK: Final = {"title": "t", "prompt": "p"}


async def test_who_names_another_tenant_is_refused_by_the_policy_on_every_route() -> None:
    """403, like whoever has no leave, whether or not there is such a tenant. Deleting the rule makes it 404."""
    async with open_world() as world:
        for route, path in routes():
            found = await status(world, route, path, ADMIN | {"X-Tenant-ID": "acme"})
            assert (found == 403) == (route.permission not in (LEASE, PUBLIC)), (route.method, route.path, found)
        refused = await world.client.post("/v1/agent/tasks", json=TASK, headers={"X-Tenant-ID": "acme"})
        assert refused.json()["detail"] == "admin may not tasks:write in the tenant acme"
        assert (refused.json()["code"], refused.json()["permission"]) == ("permission_denied", "tasks:write")
        assert await world.get("/v1/agent/tasks") == []


async def test_who_names_its_own_is_answered_as_ever() -> None:
    async with open_world() as world:
        for headers in ({}, {"X-Tenant-ID": DEFAULT_TENANT}):
            assert (await world.client.post("/v1/agent/tasks", json=TASK, headers=headers)).status_code == 200
        assert len(await world.get("/v1/agent/tasks")) == 2


@pytest.mark.parametrize("name", ["", "Default", "default ,acme", "dé", "*", "default/../acme", "x" * 5000])
async def test_a_name_that_is_none_is_another(name: str) -> None:
    async with open_world() as world:
        headers = [(b"X-Tenant-ID", name.encode())]
        assert (await world.client.get("/v1/agent/tasks", headers=headers)).status_code == 403


async def test_two_names_are_none() -> None:
    async with open_world() as world:
        headers = [("X-Tenant-ID", DEFAULT_TENANT), ("X-Tenant-ID", "acme")]
        refused = await world.client.get("/v1/agent/tasks", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (400, "request_ambiguous")


async def test_no_policy_lets_anybody_into_another_tenant() -> None:
    """Of one that allows it nothing comes: the tenant is not found."""
    everything = {"mine.rego": "package codetether.authz\nimport rego.v1\nallow := true"}
    async with open_world(RegoPolicy({**everything, "agent.rego": shipped_policy()["agent.rego"]})) as world:
        assert await _refusal(world) == (404, "tenant_not_found")
        assert await world.get("/v1/agent/tasks") == []


async def _refusal(world: World) -> tuple[int, str]:
    answer = await world.client.post("/v1/agent/tasks", json=TASK, headers={"X-Tenant-ID": "acme"})
    return answer.status_code, answer.json()["code"]
