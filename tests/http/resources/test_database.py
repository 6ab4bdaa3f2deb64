"""The store, for a dashboard: whether it answers, and what it holds."""

from typing import Any

import pytest
from attrs import evolve

from codetether_core.errors import Unavailable
from tests.http.coverage import covers
from tests.http.resources.test_sessions import TOLD, tell
from tests.http.resources.world import open_world

AT = "/v1/agent/database"


@covers(f"GET {AT}/status")
async def test_figures_are_those_of_what_is_stored() -> None:
    async with open_world() as world:
        assert (await world.get(f"{AT}/status"))["stats"] == {"workers": 0, "codebases": 0, "tasks": 0, "sessions": 0}
        await world.register()
        codebase = await world.codebase()
        await tell(world, codebase, TOLD)
        for _ in range(2):
            await world.post("/v1/agent/tasks", prompt="x")
        status = await world.get(f"{AT}/status")
        assert status["available"] is True
        assert status["stats"] == {"workers": 1, "codebases": 1, "tasks": 2, "sessions": 1}


async def test_a_store_that_does_not_answer_is_said_to() -> None:
    async with open_world() as world:

        async def ping() -> None:
            raise Unavailable("The store does not answer")

        backend = _Broken(world.services.backend, ping)
        world.app.services = evolve(world.services, backend=backend)
        status = await world.get(f"{AT}/status")
        assert (status["available"], status["message"]) == (False, "The store does not answer")


class _Broken:
    """A backend whose store is away."""

    def __init__(self, backend: Any, ping: Any) -> None:
        self._backend = backend
        self.ping = ping

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


@covers(f"GET {AT}/sessions", f"GET {AT}/codebases", f"GET {AT}/workspaces", f"GET {AT}/workers")
async def test_lists_are_those_of_the_resources() -> None:
    async with open_world() as world:
        await world.register("wrk-1", "old")
        codebase = await world.codebase(worker_id="wrk-1")
        await tell(world, codebase, TOLD)
        sessions = await world.get(f"{AT}/sessions")
        assert sessions["sessions"] == [await world.get(f"/v1/agent/codebases/{codebase}/sessions/{TOLD['id']}")]
        assert (sessions["total"], sessions["source"]) == (1, "database")
        for noun in ("codebases", "workspaces"):
            found = await world.get(f"{AT}/{noun}")
            assert [(each["id"], each["workers"], each["available"]) for each in found[noun]] == [
                (codebase, ["wrk-1"], True)
            ]
        world.clock.advance(hours=25)
        workers = await world.get(f"{AT}/workers")
        assert [(each["name"], each["status"]) for each in workers["workers"]] == [("old", "absent")]
        assert (await world.get(f"{AT}/codebases"))["codebases"][0]["available"] is False


async def test_lists_come_in_pages() -> None:
    async with open_world() as world:
        for number in range(5):
            await world.register(f"wrk-{number}", str(number))
        page = await world.get(f"{AT}/workers", limit=2, offset=3)
        assert [each["name"] for each in page["workers"]] == ["3", "4"]
        assert (page["total"], page["limit"], page["offset"]) == (5, 2, 3)


@pytest.mark.parametrize("noun", ["sessions", "codebases", "workers"])
@pytest.mark.parametrize(("name", "value"), [("limit", 0), ("limit", 1001), ("offset", -1)])
async def test_a_page_out_of_bounds_is_refused_by_name(noun: str, name: str, value: int) -> None:
    async with open_world() as world:
        refused = await world.client.get(f"{AT}/{noun}", params={name: value})
        assert (refused.status_code, refused.json()["field"]) == (422, name)
