"""Tasks in the words of the deployed pages."""

from __future__ import annotations

import pytest

from codetether_adapters import memory
from tests.http.coverage import covers
from tests.http.resources.harness import open_api
from tests.http.resources.world import ok, open_world

AT = "/mcp/v1/tasks"


@covers(f"GET {AT}", f"POST {AT}", f"GET {AT}/{{id}}", f"PUT {AT}/{{id}}", "GET /mcp/v1/tools")
async def test_a_page_lists_makes_and_changes_tasks() -> None:
    async with open_world() as world:
        id = (await world.post(AT, title="Mend it", description="the build", priority=2))["task_id"]
        task = await world.get(f"/v1/agent/tasks/{id}")
        assert (task["title"], task["prompt"], task["priority"]) == ("Mend it", "the build", 2)
        await world.register()
        await world.post("/v1/worker/tasks/claim", worker_id="wrk-1", task_id=id)
        (row,) = (await world.get(AT, status="working"))["tasks"]
        assert (row["task_id"], row["status"]) == (id, "working")
        assert (await world.get(AT, status="completed")) == {"tasks": [], "count": 0}
        assert ok(await world.client.put(f"{AT}/{id}", json={"status": "pending"}))["status"] == "pending"
        assert ok(await world.client.put(f"{AT}/{id}", json={"status": "cancelled"}))["status"] == "cancelled"
        assert (await world.get(f"{AT}/{id}"))["completed_at"] is not None
        assert "create_task" in {tool["name"] for tool in (await world.get("/mcp/v1/tools"))["tools"]}


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", AT, {"title": ""}, "title"),
        ("PUT", f"{AT}/x", {"status": "completed"}, "status"),
        ("GET", f"{AT}?status=odd", None, "status"),
    ],
)
async def test_what_is_wrong_is_named(method: str, path: str, body: object, field: str) -> None:
    async with open_world() as world:
        answer = await world.client.request(method, path, json=body)
        assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_an_agent_sees_and_changes_its_own_alone() -> None:
    async with memory.open_backend("memory://") as backend, open_api(backend) as api:
        id = (await api.ann.ok("POST", AT, {"title": "hers"}))["task_id"]
        for who, sees in ((api.ann, True), (api.ben, False), (api.alice, True)):
            assert [task["task_id"] for task in (await who.ok("GET", AT))["tasks"]] == [id] * sees
        missing = (await api.ben("GET", f"{AT}/tsk_none")).json()["code"]
        for refused in (
            await api.ben("GET", f"{AT}/{id}"),
            await api.ben("PUT", f"{AT}/{id}", {"status": "cancelled"}),
            await api.ben("PUT", f"{AT}/{id}", {"status": "pending"}),
        ):
            assert (refused.status_code, refused.json()["code"]) == (404, missing)
        assert (await api.ann.ok("PUT", f"{AT}/{id}", {"status": "cancelled"}))["status"] == "cancelled"
