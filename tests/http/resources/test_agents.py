"""Agents: registered, found while they beat, gone exactly when they have not for long enough."""

import pytest

from tests.http.coverage import covers
from tests.http.resources.world import ok, open_world

AGENTS = "/v1/agent/agents"


@covers(f"POST {AGENTS}", f"GET {AGENTS}", f"GET {AGENTS}/{{name}}")
async def test_what_an_agent_says_of_itself_is_what_others_find() -> None:
    async with open_world() as world:
        assert await world.get(AGENTS) == {"agents": [], "count": 0}
        told = {"name": "coder:vm:1", "url": "http://vm", "description": "codes", "capabilities": {"streaming": True}}
        await world.post(AGENTS, **told, models_supported=["a/b"])
        found = await world.get(AGENTS)
        assert found["count"] == 1
        assert found["agents"][0] == await world.get(f"{AGENTS}/coder:vm:1")
        assert told.items() <= found["agents"][0].items()
        assert (found["agents"][0]["role"], found["agents"][0]["instance_id"]) == ("coder", "vm:1")
        assert (await world.get(AGENTS, role="other"))["count"] == 0


@covers(f"POST {AGENTS}/register")
async def test_registering_again_says_it_anew_and_keeps_when_it_began() -> None:
    async with open_world() as world:
        first = (await world.post(f"{AGENTS}/register", name="a", description="old"))["agent"]
        world.clock.advance(seconds=1)
        await world.post(f"{AGENTS}/register", name="a", description="new")
        (agent,) = (await world.get(AGENTS))["agents"]
        assert agent["description"] == "new"
        assert agent["registered_at"] == first["registered_at"] < agent["last_seen"]


@covers(f"POST {AGENTS}/{{name}}/heartbeat")
async def test_an_agent_expires_exactly_at_the_bound_and_comes_back_with_a_beat() -> None:
    async with open_world() as world:
        await world.post(AGENTS, name="a")
        world.clock.advance(seconds=120, microseconds=-1)
        assert (await world.get(AGENTS))["count"] == 1
        world.clock.advance(microseconds=1)
        assert (await world.get(AGENTS))["count"] == 0
        assert (await world.get(AGENTS, max_age_seconds=121))["count"] == 1
        await world.post(f"{AGENTS}/a/heartbeat")
        assert (await world.get(AGENTS))["count"] == 1


@covers(f"DELETE {AGENTS}/{{name}}")
async def test_a_forgotten_agent_is_gone() -> None:
    async with open_world() as world:
        await world.post(AGENTS, name="a")
        assert (await world.worker.delete(f"{AGENTS}/a")).status_code == 403
        ok(await world.client.delete(f"{AGENTS}/a"))
        for response in (
            await world.client.get(f"{AGENTS}/a"),
            await world.client.delete(f"{AGENTS}/a"),
            await world.client.post(f"{AGENTS}/a/heartbeat"),
        ):
            assert (response.status_code, response.json()["code"]) == (404, "agent_not_found")


async def test_a_name_belongs_to_who_registered_it_first() -> None:
    async with open_world() as world:
        await world.post(AGENTS, name="a", description="ours")
        refused = await world.worker.post(AGENTS, json={"name": "a", "description": "theirs"})
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
        assert (await world.get(f"{AGENTS}/a"))["description"] == "ours"
        assert (await world.viewer.post(AGENTS, json={"name": "b"})).status_code == 403


@pytest.mark.parametrize("name", ["", "  ", ".", "..", "a\nb", "x" * 201])
async def test_a_name_that_nobody_can_be_called_by_is_refused(name: str) -> None:
    async with open_world() as world:
        refused = await world.client.post(AGENTS, json={"name": name})
        assert (refused.status_code, refused.json()["field"]) == (422, "name")


async def test_a_name_with_a_slash_can_be_asked_for() -> None:
    async with open_world() as world:
        await world.post(AGENTS, name="a/b")
        assert (await world.get(f"{AGENTS}/a%2Fb"))["name"] == "a/b"


@pytest.mark.parametrize("age", ["0", "-1", "x", "1e9"])
async def test_an_age_out_of_bounds_is_refused_by_name(age: str) -> None:
    async with open_world() as world:
        refused = await world.client.get(AGENTS, params={"max_age_seconds": age})
        assert (refused.status_code, refused.json()["field"]) == (422, "max_age_seconds")
