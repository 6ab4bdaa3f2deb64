"""A message becomes a task that a worker runs; the answer is what came of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.a2a.hub import Hub, said
from tests.http.harness import Peer


async def test_a_message_is_answered_with_the_task_once_it_has_ended(hub: Hub) -> None:
    sending = asyncio.create_task(hub.result("SendMessage", said("Fix the door", contextId="c1")))
    run = await hub.claim()
    await run.say("one\n", "two\n")
    await run.say("no matter", stream="stderr")
    await run.leave("notes.txt", b"noted")
    await run.end(result="fixed")
    task = (await sending)["task"]
    assert (task["id"], task["contextId"]) == (run.id, "c1")
    assert task["status"]["state"] == "TASK_STATE_COMPLETED"
    assert task["status"]["message"]["parts"] == [{"text": "fixed"}]
    assert task["status"]["timestamp"].endswith("Z")
    assert [(each["artifactId"], each["parts"]) for each in task["artifacts"]] == [
        ("output", [{"text": "one\ntwo\n"}]),
        ("file:notes.txt", [{"raw": "bm90ZWQ=", "mediaType": "text/plain", "filename": "notes.txt"}]),
    ]
    (asked,) = task["history"]
    assert asked == said("Fix the door", contextId="c1", taskId=run.id)["message"]
    shown = await hub.api.shown(run.id)
    assert (shown["prompt"], shown["title"], shown["agent_type"]) == ("Fix the door", "Fix the door", "build")
    assert shown["codebase_id"] == "global"


@pytest.mark.parametrize(
    ("status", "members", "state"),
    [
        ("failed", {"error": "no"}, "TASK_STATE_FAILED"),
        ("failed", {"error": "no", "reason": "rejected"}, "TASK_STATE_REJECTED"),
        ("completed", {"result": "no"}, "TASK_STATE_COMPLETED"),
    ],
)
async def test_the_end_is_told_in_the_protocols_words(
    hub: Hub, status: str, members: dict[str, str], state: str
) -> None:
    sending = asyncio.create_task(hub.result("SendMessage", said()))
    await (await hub.claim()).end(status, **members)
    told = (await sending)["task"]["status"]
    assert (told["state"], told["message"]["parts"]) == (state, [{"text": "no"}])


async def test_who_does_not_wait_is_answered_at_once(hub: Hub) -> None:
    task = (await hub.result("SendMessage", {**said(), "configuration": {"returnImmediately": True}}))["task"]
    assert task["status"]["state"] == "TASK_STATE_SUBMITTED"
    assert "artifacts" not in task
    old = {"message": {"messageId": "m", "role": "user", "parts": [{"kind": "text", "text": "hi"}]}}
    task = await hub.result("message/send", {**old, "configuration": {"blocking": False}})
    assert (task["kind"], task["status"]["state"]) == ("task", "submitted")


async def test_a_cancelled_task_ends_the_wait(hub: Hub) -> None:
    sending = asyncio.create_task(hub.result("SendMessage", said()))
    run = await hub.claim()
    cancelled = await hub.result("CancelTask", {"id": run.id})
    assert cancelled["status"]["state"] == "TASK_STATE_CANCELED"
    assert (await sending)["task"]["status"]["state"] == "TASK_STATE_CANCELED"
    assert (await hub.error("CancelTask", {"id": run.id}))["code"] == -32002


async def test_leaving_answers_with_the_task_as_it_is_and_leaves_it_alone(hub: Hub) -> None:
    sending = asyncio.create_task(hub.result("SendMessage", said()))
    run = await hub.claim()
    hub.api.app.drain.begin()
    task = (await sending)["task"]
    assert task["status"]["state"] == "TASK_STATE_WORKING"
    await run.end(result="later")
    got = await hub.result("GetTask", {"id": run.id})
    assert got["status"]["state"] == "TASK_STATE_COMPLETED"


async def test_a_client_that_goes_is_waited_for_no_longer_and_its_task_goes_on(hub: Hub) -> None:
    headers = {"Authorization": "Bearer alice-token", "A2A-Version": "1.0"}
    peer = Peer(hub.api.app, "/v1/a2a", method="POST", headers=headers)
    peer.say(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": said()}).encode())
    run = await hub.claim()
    peer.leave()
    await peer.end()
    await run.end(result="all the same")
    assert (await hub.api.shown(run.id))["status"] == "completed"


async def test_a_task_that_changes_hands_is_at_work_all_the_while(hub: Hub) -> None:
    run = await hub.begin()
    await run.say("first\n")
    await run.give_back()
    assert (await hub.api.shown(run.id))["status"] == "pending"
    assert (await hub.result("GetTask", {"id": run.id}))["status"]["state"] == "TASK_STATE_WORKING"
    again = await hub.claim("w2")
    await again.say("second\n")
    await again.end(result="r")
    task = await hub.result("GetTask", {"id": run.id})
    assert task["artifacts"][0]["parts"] == [{"text": "second\n"}]


async def test_a_notification_is_done_and_not_answered(hub: Hub) -> None:
    answer = await hub.post({"jsonrpc": "2.0", "method": "SendMessage", "params": said("quietly")})
    assert (answer.status_code, answer.content) == (204, b"")
    run = await hub.claim()
    assert (await hub.api.shown(run.id))["prompt"] == "quietly"
    await hub.post({"jsonrpc": "2.0", "method": "tasks/cancel", "params": {"id": run.id}})
    assert (await hub.api.shown(run.id))["status"] == "cancelled"


async def test_the_same_key_meets_the_same_task_and_the_same_message_id_does_not(hub: Hub) -> None:
    params = {**said(), "configuration": {"returnImmediately": True}}
    key = {"Idempotency-Key": "0123456789abcdef"}
    first = await hub.result("SendMessage", params, **key)
    assert await hub.result("SendMessage", params, **key) == first
    assert (await hub.result("SendMessage", params))["task"]["id"] != first["task"]["id"]
    other = await hub.error("SendMessage", {**said("else"), "configuration": params["configuration"]}, **key)
    assert other["code"] == -32602


ROUTED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"agent_type": "build", "codebase_id": "global", "priority": 0, "model": None}),
    ({"agent_type": "echo", "priority": 3.0}, {"agent_type": "echo", "priority": 3}),
    ({"skill_id": "review"}, {"agent_type": "review", "target_agent_name": None}),
    ({"skill_id": "agent:ann"}, {"agent_type": "build", "target_agent_name": "ann"}),
    ({"skill_id": "review", "target_agent_name": "ann"}, {"agent_type": "review", "target_agent_name": "ann"}),
    ({"model": "some:big"}, {"model": "some/big"}),
]


@pytest.mark.parametrize(("metadata", "expected"), ROUTED)
async def test_metadata_says_whose_work_it_is(hub: Hub, metadata: Any, expected: Any) -> None:
    now = {"returnImmediately": True}
    for params in (
        {**said(metadata=metadata), "configuration": now},
        {**said(), "metadata": metadata, "configuration": now},
    ):
        shown = await hub.api.shown((await hub.result("SendMessage", params))["task"]["id"])
        assert {name: shown[name] for name in expected} == expected


async def test_a_codebase_and_a_session_are_named_by_their_ids(hub: Hub) -> None:
    codebase = await hub.api.codebase()
    metadata = {"codebase_id": codebase, "session_id": "ses_1"}
    nowhere = await hub.error("SendMessage", said(metadata=metadata))
    assert nowhere["code"] == -32602
    assert nowhere["data"][1]["fieldViolations"][0]["field"] == "message.metadata.session_id"
    assert await hub.api.alice.ok("GET", "/v1/agent/tasks") == []
    sessions = {"worker_id": "w1", "sessions": [{"id": "ses_1", "title": "One"}]}
    await hub.api.bot.ok("POST", f"/v1/agent/codebases/{codebase}/sessions/sync", sessions)
    params = {**said(metadata=metadata), "configuration": {"returnImmediately": True}}
    shown = await hub.api.shown((await hub.result("SendMessage", params))["task"]["id"])
    assert (shown["codebase_id"], shown["metadata"]["resume_session_id"]) == (codebase, "ses_1")
    unknown = await hub.error("SendMessage", said(metadata={"codebase_id": "cb_none"}))
    assert unknown["code"] == -32602
    assert unknown["data"][1]["fieldViolations"][0]["field"] == "message.metadata.codebase_id"


async def test_all_kinds_of_parts_become_words(hub: Hub) -> None:
    parts = [
        {"data": {"a": [1]}},
        {"raw": "aGk=", "mediaType": "text/markdown", "filename": "hi.md"},
        {"url": "https://a.test/x", "filename": "x"},
        {"text": "Read these"},
    ]
    params = {**said(parts=parts), "configuration": {"returnImmediately": True}}
    task = (await hub.result("SendMessage", params))["task"]
    prompt = (await hub.api.shown(task["id"]))["prompt"]
    assert prompt == 'Read these\n\n```json\n{"a":[1]}\n```\n\nhi.md:\n```\nhi\n```\n\nx: https://a.test/x'
    assert task["history"][0]["parts"] == parts


async def test_the_deployed_dialect_is_answered_in_its_words(hub: Hub) -> None:
    params = {"message": {"parts": [{"type": "text", "content": "hi"}]}, "skill_id": "echo"}
    sending = asyncio.create_task(hub.result("message/send", params))
    run = await hub.claim()
    await run.end(result="ho")
    result = await sending
    assert result["message"] == {"parts": [{"type": "text", "content": "ho", "metadata": None}], "metadata": None}
    assert (result["task"]["id"], result["task"]["status"]) == (run.id, "completed")
    assert (result["task"]["title"], result["task"]["description"]) == ("hi", "hi")
    assert (await hub.result("tasks/get", {"task_id": run.id}))["task"] == result["task"]
    other = (await hub.result("message/send", {**params, "configuration": {"blocking": False}}))["task"]
    assert other["status"] == "pending"
    assert (await hub.result("tasks/cancel", {"task_id": other["id"]}))["task"]["status"] == "cancelled"
