"""Codebases: registered, listed, spoken to, stopped."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.coverage import covers
from tests.http.resources.harness import Api

P = "/v1/agent"


@covers(
    "POST /v1/agent/codebases",
    "GET /v1/agent/codebases",
    "GET /v1/agent/codebases/{id}",
    "GET /v1/agent/codebases/{id}/status",
)
@pytest.mark.parametrize("prefix", ["/v1/agent/codebases", "/v1/opencode/codebases", "/v1/agent/workspaces"])
async def test_registering_is_200_idempotent_and_seen_under_every_prefix(api: Api, prefix: str) -> None:
    body = {"name": "demo", "path": "/srv/demo", "description": "d", "agent_config": {"a": 1}}
    first = await api.bot.ok("POST", prefix, body | {"worker_id": "w1"})
    again = await api.bot.ok("POST", prefix, body | {"worker_id": "w2"})
    assert first["id"] == again["id"] == first["codebase"]["id"] == first["codebase"]["workspace_id"]
    assert ("workspace" in first) is prefix.endswith("workspaces")
    for other in ("/v1/agent/codebases", "/v1/opencode/codebases", "/v1/agent/workspaces"):
        shown = await api.alice.ok("GET", f"{other}/{first['id']}")
        assert (shown["workers"], shown["agent_config"], shown["status"]) == (["w1", "w2"], {"a": 1}, "idle")
        assert [each["id"] for each in await api.alice.ok("GET", other)] == [first["id"]]
        assert await api.alice.ok("GET", f"{other}/{first['id']}/status") == shown


async def test_a_codebase_without_a_worker_is_registered_at_once(api: Api) -> None:
    answer = await api.alice.ok("POST", f"{P}/codebases", {"name": "n", "path": "/p"})
    assert answer["success"] is True
    assert (await api.alice.ok("GET", f"{P}/codebases/{answer['id']}"))["worker_id"] is None


async def test_a_registered_workers_new_codebase_is_among_those_it_serves(api: Api) -> None:
    await api.bot.ok("POST", f"{P}/workers/register", {"worker_id": "w1", "name": "one"})
    codebase = await api.codebase(worker="w1")
    assert (await api.claimed((await api.task(codebase_id=codebase))["id"], "w1"))["success"] is True


@covers("GET /v1/agent/codebases/list")
async def test_one_is_listed_for_each_path_with_a_worker_that_is_there(api: Api) -> None:
    await api.codebase("gone", "/same", worker="w0")
    await api.bot.ok("POST", f"{P}/workers/register", {"worker_id": "w1", "name": "one"})
    there = await api.codebase("there", "/same", worker="w1")
    await api.codebase("else", "/else")
    listed = {each["path"]: each for each in await api.alice.ok("GET", f"{P}/codebases")}
    assert listed.keys() == {"/same", "/else"}
    assert listed["/same"]["id"] == there
    assert (listed["/same"]["aliases"], listed["/same"]["duplicate_count"]) == (["gone"], 1)
    assert len(await api.alice.ok("GET", f"{P}/codebases/list?include_duplicates=true")) == 3
    assert [each["path"] for each in await api.alice.ok("GET", f"{P}/codebases?path=/else/")] == ["/else"]


@covers("DELETE /v1/agent/codebases/{id}")
async def test_a_deleted_codebase_is_gone_and_its_tasks_stay(api: Api) -> None:
    codebase = await api.codebase()
    task = await api.task(codebase_id=codebase)
    await api.alice.refused(409, "DELETE", f"{P}/codebases/{codebase}")
    await api.alice.ok("POST", f"{P}/tasks/{task['id']}/cancel")
    assert await api.alice.ok("DELETE", f"{P}/codebases/{codebase}") == {"success": True}
    for path in ("", "/status", "/tasks", "/watch/status", "/events"):
        problem = await api.alice.refused(404, "GET", f"{P}/codebases/{codebase}{path}")
        assert problem["code"] == "codebase_not_found"
    assert (await api.shown(task["id"]))["status"] == "cancelled"


@covers("POST /v1/agent/codebases/{id}/trigger")
async def test_a_trigger_is_a_task_with_model_and_files(api: Api) -> None:
    codebase = await api.codebase()
    body = {"prompt": "go", "agent": "plan", "model": "a/b", "files": ["x.py"], "metadata": {"k": 1}}
    answer = await api.alice.ok("POST", f"{P}/codebases/{codebase}/trigger", body)
    assert answer["session_id"] == answer["task_id"]
    assert (answer["agent"], answer["codebase_id"]) == ("plan", codebase)
    task = await api.shown(answer["task_id"])
    assert task["metadata"] == {"k": 1, "model": "a/b", "files": ["x.py"]}
    assert (task["agent_type"], task["model"]) == ("plan", "a/b")
    shown = await api.alice.ok("GET", f"{P}/codebases/{codebase}")
    assert shown["last_triggered"] == task["created_at"]


@covers("POST /v1/agent/codebases/{id}/message")
async def test_a_message_goes_on_with_the_latest_session(api: Api) -> None:
    codebase = await api.codebase()
    answer = await api.alice.ok("POST", f"{P}/codebases/{codebase}/message", {"message": "hello"})
    assert answer["session_id"] is None
    assert (await api.shown(answer["task_id"]))["prompt"] == "hello"
    sessions = {"worker_id": "w1", "sessions": [{"id": "ses_1", "title": "s"}]}
    await api.bot.ok("POST", f"{P}/codebases/{codebase}/sessions/sync", sessions)
    answer = await api.alice.ok("POST", f"{P}/codebases/{codebase}/message", {"message": "and then?"})
    assert answer["session_id"] == "ses_1"
    assert (await api.shown(answer["task_id"]))["metadata"]["resume_session_id"] == "ses_1"
    assert (await api.alice.ok("GET", f"{P}/codebases/{codebase}"))["session_id"] == "ses_1"


@covers("POST /v1/agent/codebases/{id}/interrupt", "POST /v1/agent/codebases/{id}/stop")
@pytest.mark.parametrize("word", ["interrupt", "stop"])
async def test_interrupt_and_stop_cancel_what_runs_and_nothing_else(api: Api, word: str) -> None:
    codebase = await api.codebase()
    ids: list[Any] = [(await api.task(codebase_id=codebase))["id"] for _ in range(3)]
    elsewhere = (await api.task())["id"]
    for id in (ids[0], ids[1], elsewhere):
        await api.claimed(id)
    assert (await api.alice.ok("GET", f"{P}/codebases/{codebase}"))["status"] == "running"
    assert (await api.alice.ok("GET", f"{P}/codebases"))[0]["status"] == "running"
    answer = await api.alice.ok("POST", f"{P}/codebases/{codebase}/{word}")
    assert set(answer["cancelled"]) == set(ids[:2])
    states = [(await api.shown(id))["status"] for id in (*ids, elsewhere)]
    assert states == ["cancelled", "cancelled", "pending", "running"]
    await api.alice.refused(404, "POST", f"{P}/codebases/nothing/{word}")


@covers(
    "POST /v1/agent/codebases/{id}/watch/start",
    "POST /v1/agent/codebases/{id}/watch/stop",
    "GET /v1/agent/codebases/{id}/watch/status",
)
async def test_watching_is_switched_on_and_off(api: Api) -> None:
    codebase = await api.codebase()
    await api.task(codebase_id=codebase)
    await api.claimed((await api.task(codebase_id=codebase))["id"])
    path = f"{P}/codebases/{codebase}/watch"
    assert (await api.alice.ok("POST", f"{path}/start", {"interval": 9}))["interval"] == 9
    status = await api.alice.ok("GET", f"{path}/status")
    assert (status["watch_mode"], status["interval"]) == (True, 9)
    assert (status["pending_tasks"], status["running_tasks"], status["name"]) == (1, 1, "demo")
    await api.alice.ok("POST", f"{path}/stop")
    assert (await api.alice.ok("GET", f"{path}/status"))["watch_mode"] is False
    assert (await api.alice.ok("POST", f"{path}/start"))["interval"] == 5
