"""HTTP+JSON: the same operations by methods and paths, and refusals with the status of their kind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from codetether_adapters.a2a.methods import Operation
from codetether_adapters.a2a.rest import CALLS, params_of
from tests.a2a.hub import NEW, Hub, said
from tests.http.resources.harness import data

REST = "/a2a/rest"
JSON = "application/a2a+json"


async def call(hub: Hub, method: str, path: str, body: Any = None, who: str = "alice", **headers: str) -> Any:
    caller = getattr(hub.api, who)
    answer = await caller(method, f"{REST}{path}", body, headers={**NEW, **headers})
    expected = JSON if answer.status_code < 400 else "application/json"
    assert answer.headers["content-type"] == expected, answer.text
    return answer.status_code, answer.json()


async def test_a_task_is_made_shown_listed_and_cancelled(hub: Hub) -> None:
    sending = asyncio.create_task(call(hub, "POST", "/message:send", said()))
    run = await hub.claim()
    await run.say("out")
    await run.end(result="r")
    status, sent = await sending
    assert (status, sent["task"]["id"]) == (200, run.id)
    assert await call(hub, "GET", f"/tasks/{run.id}") == (200, sent["task"])
    assert await call(hub, "GET", f"/tasks/{run.id}") == (200, await hub.result("GetTask", {"id": run.id}))
    _, short = await call(hub, "GET", f"/tasks/{run.id}?historyLength=0")
    assert "history" not in short
    query = "?pageSize=1&includeArtifacts=true&status=TASK_STATE_COMPLETED"
    _, page = await call(hub, "GET", f"/tasks{query}")
    assert page == {"tasks": [sent["task"]], "nextPageToken": "", "pageSize": 1, "totalSize": 1}
    other = await hub.begin()
    for body in (None, {}, {"id": other.id}):
        status, answer = await call(hub, "POST", f"/tasks/{other.id}:cancel", body)
        assert status == (200 if body is None else 400), answer


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_streams_have_bare_events(hub: Hub, method: str) -> None:
    async with hub.api.watch(f"{REST}/message:stream", json=said(), **NEW, **{"Content-Type": JSON}) as sender:
        assert data(await sender.event())["task"]["status"]["state"] == "TASK_STATE_SUBMITTED"
        run = await hub.claim()
        path = f"{REST}/tasks/{run.id}:subscribe"
        body: Any = None if method == "GET" else {}
        async with hub.api.watch(path, json=body, **NEW) as watcher:
            assert data(await watcher.event())["task"]["status"]["state"] == "TASK_STATE_WORKING"
            await run.say("out")
            await run.end(result="r")
            events = [bare(data(event)) for event in await watcher.rest()]
        assert [next(iter(event)) for event in events] == ["artifactUpdate", "statusUpdate"]
        assert [bare(data(event)) for event in await sender.rest()][1:] == events


def bare(event: Any) -> Any:
    """An event without what it stands for, which depends on what was told before it."""
    ((kind, update),) = event.items()
    return {kind: {name: value for name, value in update.items() if name != "metadata"}}


def test_what_the_path_names_nothing_else_does() -> None:
    (create,) = (each for each in CALLS if each.operation is Operation.PUSH_CREATE)
    for other in ({"taskId": "a", "task_id": "b"}, {"task_id": "b", "taskId": "a"}, {"task_id": "b"}):
        assert params_of(create, {"id": "t"}, {"task_id": "c"}, {"url": "u", **other}) == {"url": "u", "taskId": "t"}


REFUSED: list[tuple[str, str, Any, int, str, str]] = [
    ("GET", "/tasks/tsk_none", None, 404, "NOT_FOUND", "TASK_NOT_FOUND"),
    ("GET", "/tasks/{ended}?historyLength=-1", None, 400, "INVALID_ARGUMENT", "INVALID_PARAMS"),
    ("GET", "/tasks?pageSize=101", None, 400, "INVALID_ARGUMENT", "INVALID_PARAMS"),
    ("POST", "/tasks/{ended}:cancel", None, 400, "FAILED_PRECONDITION", "TASK_NOT_CANCELABLE"),
    ("POST", "/tasks/{ended}:subscribe", None, 400, "FAILED_PRECONDITION", "UNSUPPORTED_OPERATION"),
    ("POST", "/message:send", {}, 400, "INVALID_ARGUMENT", "INVALID_PARAMS"),
    ("POST", "/message:send", [1], 400, "INVALID_ARGUMENT", "INVALID_PARAMS"),
    ("POST", "/message:stream", said(parts=[]), 400, "INVALID_ARGUMENT", "INVALID_PARAMS"),
    (
        "GET",
        "/tasks/{ended}/pushNotificationConfigs",
        None,
        400,
        "FAILED_PRECONDITION",
        "PUSH_NOTIFICATION_NOT_SUPPORTED",
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "grpc", "reason"), REFUSED)
async def test_refusals_have_the_status_of_their_kind(
    hub: Hub, method: str, path: str, body: Any, status: int, grpc: str, reason: str
) -> None:
    run = await hub.begin()
    await run.end()
    found, answer = await call(hub, method, path.replace("{ended}", run.id), body)
    error = answer["error"]
    assert (found, error["code"], error["status"], error["details"][0]["reason"]) == (status, status, grpc, reason)


async def test_a_release_that_is_not_spoken_here_is_refused_and_none_is_this_one(hub: Hub) -> None:
    for version, status in (("", 200), ("1.0.1", 200), ("0.3", 400), ("1.1", 400), ("x", 400)):
        found, _ = await call(hub, "GET", "/tasks", **{"A2A-Version": version})
        assert found == status, version
    status, answer = await call(hub, "GET", "/tasks?A2A-Version=9.9", **{"A2A-Version": ""})
    assert (status, answer["error"]["details"][0]["reason"]) == (400, "VERSION_NOT_SUPPORTED")


async def test_who_wants_plain_json_is_answered_with_it(hub: Hub) -> None:
    answer = await hub.api.alice("GET", f"{REST}/tasks/tsk_none", headers={"Accept": "application/json"})
    assert answer.headers["content-type"] == "application/json"
