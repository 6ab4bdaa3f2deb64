"""Tasks as clients see them: each route shows what another one changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.http.coverage import covers
from tests.http.resources.harness import Api

P = "/v1/agent"


@covers("POST /v1/agent/tasks", "GET /v1/agent/tasks/{id}")
async def test_a_task_without_a_codebase_is_shown_as_it_was_submitted(api: Api) -> None:
    body = {
        "prompt": "x" * 100,
        "agent_type": "plan",
        "priority": 7,
        "model_ref": "anthropic:claude:x",
        "metadata": {"target_worker_id": "w9", "required_capabilities": ["b", "a"], "k": [1]},
        "max_attempts": 5,
        "run_timeout_seconds": 60,
        "unknown": True,
    }
    created = await api.alice.ok("POST", f"{P}/tasks", body)
    task = await api.shown(created["id"])
    assert [task.pop(each) for each in ("attempts", "artifacts", "delegation")] == [[], [], None]
    assert task == created
    assert task["title"] == "x" * 80
    assert task["description"] == task["prompt"] == "x" * 100
    assert task["codebase_id"] == task["workspace_id"] == "global"
    assert task["model"] == "anthropic/claude:x"
    assert task["model_ref"] == "anthropic:claude:x"
    assert task["target_worker_id"] == "w9"
    assert task["required_capabilities"] == ["a", "b"]
    assert task["metadata"] == body["metadata"]
    assert (task["status"], task["attempt"], task["max_attempts"]) == ("pending", 0, 5)
    assert task["created_at"].endswith("Z")
    assert task["created_by"] == "alice"


@covers("POST /v1/agent/codebases/{id}/tasks", "GET /v1/agent/codebases/{id}/tasks")
@pytest.mark.parametrize("prefix", ["/v1/agent/codebases", "/v1/opencode/codebases", "/v1/agent/workspaces"])
async def test_a_codebases_task_is_in_its_list_under_every_prefix(api: Api, prefix: str) -> None:
    codebase = await api.codebase()
    created = await api.alice.ok("POST", f"{prefix}/{codebase}/tasks", {"prompt": "p", "title": "t"})
    assert created["success"] is True
    assert created["task"]["workspace_id"] == codebase
    for other in ("/v1/agent/codebases", "/v1/opencode/codebases", "/v1/agent/workspaces"):
        assert await api.alice.ok("GET", f"{other}/{codebase}/tasks?status=pending") == [created["task"]]
        assert await api.alice.ok("GET", f"{other}/{codebase}/tasks?status=failed,completed") == []


@covers("GET /v1/agent/tasks")
async def test_lists_are_by_priority_then_age_and_paged(api: Api) -> None:
    for title, priority in (("a", 0), ("b", 5), ("c", 0)):
        await api.task(title=title, priority=priority)

    async def titles(query: str) -> list[str]:
        return [task["title"] for task in await api.alice.ok("GET", f"{P}/tasks?{query}")]

    assert await titles("") == ["b", "a", "c"]
    assert await titles("limit=1&offset=1") == ["a"]
    assert await titles("order=newest") == ["c", "b", "a"]
    assert await titles("codebase_id=global") == ["b", "a", "c"]
    assert await titles("workspace_id=elsewhere") == []
    await api.claimed((await api.task(title="d"))["id"], "w1")
    assert await titles("worker_id=w1") == ["d"]
    assert await titles("status=running,pending&codebase_id=global") == ["b", "a", "c", "d"]


@covers("POST /v1/agent/tasks", "GET /v1/agent/tasks")
async def test_a_context_has_a_list_of_its_own(api: Api) -> None:
    """Whatever the codebase; in each of the orders; a task shows its context, and is none's where none is named."""
    first = await api.task(title="a", context_id="ctx_1")
    await api.task(title="b", context_id="ctx_2")
    await api.task(title="c", context_id="ctx_1", codebase_id=await api.codebase())
    assert (await api.task(title="d"))["context_id"] is None
    assert (await api.task(title="e", context_id=""))["context_id"] is None
    assert first["context_id"] == (await api.shown(first["id"]))["context_id"] == "ctx_1"
    await api.claimed(first["id"], "w1")

    async def titles(query: str) -> list[str]:
        return [task["title"] for task in await api.alice.ok("GET", f"{P}/tasks?context_id={query}")]

    assert await titles("ctx_1") == ["a", "c"]
    assert await titles("ctx_1&order=newest") == ["c", "a"]
    assert await titles("ctx_1&order=changed") == ["a", "c"]
    assert await titles("ctx_1&status=running") == await titles("ctx_1&codebase_id=global") == ["a"]
    assert await titles("ctx_3") == []
    assert await titles("") == ["a", "b", "c", "d", "e"]
    refused = await api.alice.refused(422, "GET", f"{P}/tasks?context_id=ctx_1&agent_name=rusty")
    assert refused["field"] == "context_id"


async def test_a_poll_by_agent_name_has_only_what_such_a_worker_may_take(api: Api) -> None:
    codebase = await api.codebase()
    await api.task(title="theirs", codebase_id=codebase)
    await api.task(title="others", codebase_id=await api.codebase("other", "/o"))
    await api.task(title="anybody's")
    await api.task(title="another agent's", target_agent_name="somebody")
    register = {"worker_id": "w1", "name": "rusty", "codebases": [codebase]}
    await api.bot.ok("POST", f"{P}/workers/register", register)
    found = await api.bot.ok("GET", f"{P}/tasks?status=pending&agent_name=rusty")
    assert [task["title"] for task in found] == ["theirs", "anybody's"]


async def test_a_poll_by_agent_name_for_one_codebase_looks_past_the_others(api: Api) -> None:
    codebase = await api.codebase()
    for _ in range(3):
        await api.task(title="anybody's", priority=9)
    await api.task(title="theirs", codebase_id=codebase)
    await api.bot.ok("POST", f"{P}/workers/register", {"worker_id": "w1", "name": "rusty", "codebases": [codebase]})
    query = f"status=pending&agent_name=rusty&codebase_id={codebase}&limit=2"
    assert [task["title"] for task in await api.bot.ok("GET", f"{P}/tasks?{query}")] == ["theirs"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/agent/tasks?order=newest&limit=500",
        "/v1/agent/tasks?status=pending&limit=500",
        "/v1/agent/codebases/global/tasks?limit=500",
        "/v1/agent/tasks?status=pending&agent_name=rusty&limit=500",
    ],
)
async def test_a_list_is_bounded_by_bytes_and_tells_where_it_goes_on(api: Api, path: str) -> None:
    """Deployed readers get fewer rows in the same shape; the header has the address of the next page."""
    await api.bot.ok("POST", f"{P}/workers/register", {"worker_id": "w1", "name": "rusty"})
    submitted = {(await api.task(prompt="x" * 700_000))["id"] for _ in range(7)}
    found: list[str] = []
    sizes: list[int] = []
    following: httpx.URL | None = httpx.URL(path)
    while following:
        answer = await api.alice("GET", str(following))
        assert len(answer.content) <= 4 * 1024 * 1024
        sizes.append(len(answer.json()))
        found += [task["id"] for task in answer.json()]
        following = following.join(answer.links["next"]["url"]) if "next" in answer.links else None
    assert sizes == [2, 2, 2, 1]
    assert (len(found), set(found)) == (7, submitted)


async def test_a_task_that_is_longer_than_a_page_is_one(api: Api) -> None:
    for _ in range(2):
        await api.task(prompt="x" * 3_000_000)
    assert len(await api.alice.ok("GET", f"{P}/tasks")) == 1
    assert len(await api.alice.ok("GET", "/v1/opencode/tasks?status=pending")) == 1


async def test_a_page_that_is_full_has_a_next_one(api: Api) -> None:
    for _ in range(60):
        await api.task()
    full, last = await api.alice("GET", f"{P}/tasks?limit=55&x=1"), await api.alice("GET", f"{P}/tasks?offset=55")
    assert (len(full.json()), full.links["next"]["url"]) == (55, "?limit=55&x=1&offset=55")
    assert (len(last.json()), last.links) == (5, {})
    assert not {task["id"] for task in full.json()} & {task["id"] for task in last.json()}


async def test_one_task_tells_of_its_attempts_and_of_no_token(api: Api) -> None:
    id = (await api.task())["id"]
    late = {"worker_id": "w1", "lease_token": (await api.claimed(id))["lease"]["token"]}
    await api.alice.ok("POST", f"{P}/tasks/{id}/requeue")
    await api.bot.refused(409, "PUT", f"{P}/tasks/{id}/status", {"status": "completed", "result": "too late"} | late)
    await api.claimed(id, "w2")
    shown = await api.shown(id)
    (attempt,) = shown["attempts"]
    assert (attempt["number"], attempt["worker_id"], attempt["ending"]) == (1, "w1", "requeue")
    assert "too late" in attempt["evidence"]
    assert attempt["granted_at"] < attempt["ended_at"]
    assert late["lease_token"].partition(".")[2] not in str(shown)
    (listed,) = await api.alice.ok("GET", f"{P}/tasks")
    assert "attempts" not in listed


async def test_the_same_idempotency_key_gives_the_same_task(api: Api) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = await api.alice.ok("POST", f"{P}/tasks", {"prompt": "p"}, headers=headers)
    again = await api.alice.ok("POST", f"{P}/tasks", {"prompt": "p"}, headers=headers)
    assert again == first
    problem = await api.alice.refused(409, "POST", f"{P}/tasks", {"prompt": "other"}, headers=headers)
    assert problem["code"] == "idempotency_mismatch"
    assert len(await api.alice.ok("GET", f"{P}/tasks")) == 1


@covers("POST /v1/agent/tasks/{id}/cancel")
async def test_cancel_ends_a_task_once(api: Api) -> None:
    task = await api.task()
    assert (await api.alice.ok("POST", f"{P}/tasks/{task['id']}/cancel"))["task"]["status"] == "cancelled"
    assert (await api.shown(task["id"]))["status"] == "cancelled"
    assert (await api.alice.ok("POST", f"{P}/tasks/{task['id']}/cancel"))["success"] is True
    done = await completed(api)
    await api.alice.refused(409, "POST", f"{P}/tasks/{done}/cancel")
    await api.alice.refused(404, "POST", f"{P}/tasks/tsk_nothing/cancel")
    assert (await api.shown(done))["status"] == "completed"


@covers("POST /v1/agent/tasks/{id}/requeue")
async def test_requeue_takes_a_running_task_back_and_asks_again_for_an_ended_one(api: Api) -> None:
    task = await api.task()
    await api.claimed(task["id"])
    requeued = await api.alice.ok("POST", f"{P}/tasks/{task['id']}/requeue")
    assert requeued["task_id"] == task["id"]
    assert (await api.shown(task["id"]))["status"] == "pending"
    done = await completed(api)
    again = await api.alice.ok("POST", f"{P}/tasks/{done}/requeue")
    assert again["task_id"] != done
    assert (await api.shown(again["task_id"]))["retry_of"] == done
    await api.alice.refused(409, "POST", f"{P}/tasks/{task['id']}/requeue")


@covers("POST /v1/agent/tasks/{id}/retry")
async def test_retry_of_an_ended_task_is_a_new_one(api: Api) -> None:
    done = await completed(api)
    retried = await api.alice.ok("POST", f"{P}/tasks/{done}/retry")
    assert (await api.shown(retried["task"]["id"]))["retry_of"] == done
    await api.alice.refused(409, "POST", f"{P}/tasks/{retried['task']['id']}/retry")


@covers("POST /v1/agent/tasks/{id}/review")
async def test_a_review_stays(api: Api) -> None:
    done = await completed(api)
    await api.alice.ok("POST", f"{P}/tasks/{done}/review")
    assert (await api.shown(done))["reviewed"] is True


@covers("GET /v1/agent/tasks/{id}/explain")
async def test_explain_says_what_a_task_waits_for(api: Api) -> None:
    codebase = await api.codebase()
    task = await api.task(codebase_id=codebase)

    async def explained() -> Any:
        return await api.alice.ok("GET", f"{P}/tasks/{task['id']}/explain")

    assert (await explained())["waiting_for"] == "a worker: none is registered"
    worker = {"worker_id": "w1", "name": "one", "slots": 1}
    await api.bot.ok("POST", f"{P}/workers/register", worker)
    told = await explained()
    assert told["workers"][0]["refusals"] == ["codebase_not_served"]
    assert "none of those registered" in told["waiting_for"]
    await api.codebase(worker="w1")
    assert (await explained())["waiting_for"] == "a worker that may take it to claim it"
    await api.claimed((await api.task())["id"], "w1")
    assert "busy" in (await explained())["waiting_for"]
    api.clock.advance(timedelta(minutes=5))
    assert "come back" in (await explained())["waiting_for"]
    await api.alice.ok("POST", f"{P}/tasks/{task['id']}/cancel")
    assert (await explained())["waiting_for"] == "nothing: it is cancelled"


@covers("GET /v1/agent/tasks/{id}/explain")
async def test_explain_names_who_is_in_the_checkout(api: Api) -> None:
    """There is a slot, and one run at a time in a checkout all the same."""
    await api.bot.ok("POST", f"{P}/workers/register", {"worker_id": "w1", "name": "one", "slots": 2})
    codebase = await api.codebase(worker="w1")
    first, second = await api.task(codebase_id=codebase), await api.task(codebase_id=codebase)
    await api.claimed(first["id"], "w1")
    told = await api.alice.ok("GET", f"{P}/tasks/{second['id']}/explain")
    assert told["workers"][0]["in_the_way"] == [first["id"]]
    assert told["waiting_for"] == f"its checkout, where one task runs at a time: {first['id']} is there"


@covers("GET /v1/agent/tasks/stuck", "POST /v1/agent/tasks/stuck/recover", "GET /v1/agent/reaper/health")
async def test_silent_runs_are_stuck_and_recover_makes_them_pending(api: Api) -> None:
    task = await api.task()
    await api.claimed(task["id"])
    assert (await api.alice.ok("GET", f"{P}/tasks/stuck"))["tasks"] == []
    api.clock.advance(timedelta(minutes=6))
    stuck = await api.alice.ok("GET", f"{P}/tasks/stuck?timeout_seconds=300")
    assert (stuck["count"], stuck["tasks"][0]["id"], stuck["timeout_seconds"]) == (1, task["id"], 300)
    assert (await api.alice.ok("GET", f"{P}/reaper/health"))["status"] == "stopped"
    recovered = await api.alice.ok("POST", f"{P}/tasks/stuck/recover")
    assert recovered["stats"]["tasks_requeued"] == 1
    assert (await api.shown(task["id"]))["status"] == "pending"
    assert (await api.alice.ok("GET", f"{P}/reaper/health"))["status"] == "healthy"


async def completed(api: Api) -> str:
    """A completed task's id."""
    id: str = (await api.task())["id"]
    lease = (await api.claimed(id))["lease"]["token"]
    body = {"status": "completed", "worker_id": "w1", "lease_token": lease, "result": "done"}
    await api.bot.ok("PUT", f"{P}/tasks/{id}/status", body)
    return id
