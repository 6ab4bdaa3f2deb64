"""The registry of workers: what they say of themselves, whether they are there, what they hold."""

import pytest

from tests.http.coverage import covers
from tests.http.resources.world import ok, open_world

WORKERS = "/v1/agent/workers"


@covers(f"POST {WORKERS}/register", f"GET {WORKERS}", f"GET {WORKERS}/{{id}}")
async def test_what_a_deployed_worker_registers_is_what_the_list_shows() -> None:
    told = {
        "worker_id": "wrk-0001",
        "name": "w-one",
        "capabilities": ["opencode", "build", "deploy"],
        "hostname": "vm",
        "models": [{"id": "anthropic/claude-x", "name": "claude-x", "provider": "anthropic"}],
        "global_codebase_id": "ca2cf559",
        "codebases": ["ca2cf559", "global"],
    }
    async with open_world() as world:
        assert await world.get(WORKERS) == []
        answer = ok(await world.worker.post("/v1/opencode/workers/register", json=told))
        assert answer["success"] is True
        (worker,) = await world.get(WORKERS)
        assert worker == answer["worker"]
        assert told.items() <= worker.items()
        assert (worker["status"], worker["workspaces"], worker["slots"]) == ("active", told["codebases"], 2)
        shown = await world.get(f"{WORKERS}/wrk-0001")
        assert shown == worker | {"current_tasks": []}


async def test_newer_names_mean_the_same() -> None:
    async with open_world() as world:
        worker = await world.register(
            workspaces=["a"], workspace_ids=["b", "a"], global_workspace_id="g", max_concurrent_tasks=7,
            models=["x/y"], agents=["build", {"name": "plan"}],
        )  # fmt: skip
        assert worker["codebases"] == ["a", "b"]
        assert (worker["global_codebase_id"], worker["slots"]) == ("g", 7)
        assert (worker["models"], worker["agents"]) == ([{"id": "x/y"}], ["build", "plan"])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"worker_id": ""}, "worker_id"),
        ({"worker_id": ".."}, "worker_id"),
        ({"worker_id": 5}, "worker_id"),
        ({"name": "\t"}, "name"),
        ({"slots": 0}, "slots"),
        ({"max_concurrent_tasks": 1001}, "max_concurrent_tasks"),
        ({"models": [{"id": "a"}, {"name": "b"}]}, "models.1"),
        ({"agents": [3]}, "agents.0"),
        ({"capabilities": "build"}, "capabilities"),
    ],
)
async def test_what_is_wrong_is_refused_by_name(changed: dict[str, object], field: str) -> None:
    async with open_world() as world:
        refused = await world.client.post(f"{WORKERS}/register", json={"worker_id": "w", "name": "n"} | changed)
        assert (refused.status_code, refused.json()["field"]) == (422, field)
        assert await world.get(WORKERS) == []


@covers(f"POST {WORKERS}/{{id}}/heartbeat")
@pytest.mark.parametrize("body", [b"", b"{}", b'{"worker_id":"wrk-1","status":"idle","active_task_count":0}'])
async def test_a_beat_of_any_generation_keeps_a_worker_there(body: bytes) -> None:
    async with open_world() as world:
        ok(await world.worker.post(f"{WORKERS}/register", json={"worker_id": "wrk-1", "name": "one"}))
        world.clock.advance(seconds=60, microseconds=-1)
        assert (await world.get(f"{WORKERS}/wrk-1"))["status"] == "active"
        world.clock.advance(microseconds=1)
        assert (await world.get(f"{WORKERS}/wrk-1"))["status"] == "absent"
        headers = {"Content-Type": "application/json"}
        ok(await world.worker.post("/v1/opencode/workers/wrk-1/heartbeat", content=body, headers=headers))
        assert (await world.get(f"{WORKERS}/wrk-1"))["status"] == "active"


@pytest.mark.parametrize("word", ["heartbeat", "unregister"])
async def test_a_worker_is_its_principals_own(word: str) -> None:
    async with open_world() as world:
        await world.register()
        refused = await world.worker.post(f"{WORKERS}/wrk-1/{word}")
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


async def test_a_worker_that_nobody_knows_is_told_to_register() -> None:
    async with open_world() as world:
        for response in (
            await world.client.post(f"{WORKERS}/nobody/heartbeat"),
            await world.client.post(f"{WORKERS}/nobody/unregister"),
            await world.client.get(f"{WORKERS}/nobody"),
        ):
            assert (response.status_code, response.json()["code"]) == (404, "worker_not_found")


@covers(f"POST {WORKERS}/{{id}}/unregister")
async def test_a_worker_that_signed_off_has_left_until_it_is_back() -> None:
    async with open_world() as world:
        await world.register()
        await world.post(f"{WORKERS}/wrk-1/unregister")
        assert (await world.get(f"{WORKERS}/wrk-1"))["status"] == "left"
        assert await world.get(WORKERS, online_only=True) == []
        await world.register()
        assert (await world.get(f"{WORKERS}/wrk-1"))["status"] == "active"


async def test_the_list_is_narrowed_by_search_presence_and_age() -> None:
    async with open_world() as world:
        await world.register("w-1", "old", hostname="alpha", capabilities=["Deploy"])
        world.clock.advance(hours=1)
        await world.register("w-2", "new", hostname="beta")

        async def names(**query: object) -> list[str]:
            return [worker["name"] for worker in await world.get(WORKERS, **query)]

        assert await names() == ["old", "new"]
        assert await names(online_only=True) == ["new"]
        assert await names(search="DEPLOY") == ["old"] == await names(search="alph")
        assert await names(search="w-2") == ["new"]
        assert await names(exclude_offline_hours=1) == ["new"]
        assert await names(exclude_offline_hours=1.1) == ["old", "new"]
        world.clock.advance(hours=23)
        assert await names() == ["new"]
        assert await names(exclude_offline_hours=0) == ["old", "new"]
        refused = await world.client.get(WORKERS, params={"exclude_offline_hours": -1})
        assert (refused.status_code, refused.json()["field"]) == (422, "exclude_offline_hours")


async def test_a_worker_shows_what_it_holds() -> None:
    async with open_world() as world:
        await world.register()
        task = await world.post("/v1/agent/tasks", prompt="do")
        ok(await world.client.post("/v1/worker/tasks/claim", json={"task_id": task["id"], "worker_id": "wrk-1"}))
        assert (await world.get(f"{WORKERS}/wrk-1"))["current_tasks"] == [task["id"]]


@covers("GET /v1/agent/sessions/{id}/worker-status")
async def test_a_sessions_worker_is_found_by_the_session() -> None:
    async with open_world() as world:
        codebase = await world.codebase()
        told = {"worker_id": "wrk-1", "sessions": [{"id": "ses_1"}]}
        await world.post(f"/v1/agent/codebases/{codebase}/sessions/sync", **told)
        status = "/v1/agent/sessions/ses_1/worker-status"
        unknown = await world.get(status)
        assert (unknown["worker_id"], unknown["status"], unknown["online"]) == ("wrk-1", None, False)
        await world.register()
        assert (await world.get(status))["status"] == "active"
        world.clock.advance(seconds=60)
        found = await world.get(status)
        assert (found["status"], found["online"], found["codebase_id"]) == ("absent", False, codebase)
        assert (await world.client.get("/v1/agent/sessions/none/worker-status")).status_code == 404
