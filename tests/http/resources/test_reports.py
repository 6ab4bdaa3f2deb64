"""A holder's words: status in all its forms, output, questions; each seen through another route."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from tests.http.coverage import covers
from tests.http.resources.harness import Api

P = "/v1/agent"


async def running(api: Api, **members: Any) -> tuple[str, dict[str, str]]:
    """A running task's id, and what its holder shows."""
    id: str = (await api.task(**members))["id"]
    lease = (await api.claimed(id))["lease"]
    return id, {"worker_id": "w1", "lease_token": lease["token"]}


async def test_running_claims_with_a_token_when_asked_to(api: Api) -> None:
    id = (await api.task())["id"]
    body = {"status": "running", "worker_id": "w1", "lease": True, "session_id": "ses_1"}
    answer = await api.bot.ok("PUT", f"{P}/tasks/{id}/status", body)
    assert answer["task"]["status"] == "running"
    assert (await api.shown(id))["session_id"] == "ses_1"
    tokenless = {"status": "running", "worker_id": "w1"}
    assert (await api.bot.refused(409, "PUT", f"{P}/tasks/{id}/status", tokenless))["code"] == "lease_required"
    renewed = await api.bot.ok(
        "PUT", f"{P}/tasks/{id}/status", tokenless, headers={"X-Lease-Token": answer["lease"]["token"]}
    )
    assert renewed["lease"]["number"] == 1


async def test_running_by_another_worker_takes_over_a_lapsed_task(api: Api) -> None:
    id, _ = await running(api)
    api.clock.advance(timedelta(minutes=2))
    await api.alice.ok("POST", f"{P}/tasks/stuck/recover")
    answer = await api.bot.ok("PUT", f"{P}/tasks/{id}/status", {"status": "running", "worker_id": "w2"})
    assert (answer["task"]["worker_id"], answer["task"]["attempt"]) == ("w2", 2)


@covers("PUT /v1/agent/tasks/{id}/status")
@pytest.mark.parametrize(
    ("report", "seen"),
    [
        ({"status": "completed", "result": "42"}, {"status": "completed", "result": "42"}),
        (
            {"status": "completed", "result": "42", "reason": "answered"},
            {"status": "completed", "result": "42", "reason": "answered"},
        ),
        ({"status": "completed", "session_id": "ses_9"}, {"status": "completed", "session_id": "ses_9"}),
        (
            {"status": "failed", "error": "boom", "reason": "rejected"},
            {"status": "failed", "error": "boom", "reason": "rejected", "attempts_charged": 1},
        ),
        ({"status": "failed", "error": "try", "retry": True}, {"status": "pending", "error": "try"}),
        ({"status": "pending"}, {"status": "pending", "attempts_charged": 0, "reason": "released"}),
    ],
)
async def test_a_report_is_what_the_task_shows(api: Api, report: dict[str, Any], seen: dict[str, Any]) -> None:
    id, word = await running(api)
    await api.bot.ok("PUT", f"{P}/tasks/{id}/status", report | word)
    task = await api.shown(id)
    assert {name: task[name] for name in seen} == seen


async def test_an_outcome_said_again_is_200_and_another_one_is_refused(api: Api) -> None:
    id, word = await running(api)
    done = {"status": "completed", "result": "r", "outputs": [{"output": "last"}], "first": 0} | word
    await api.bot.ok("PUT", f"{P}/tasks/{id}/status", done)
    before = await api.shown(id)
    await api.bot.ok("PUT", f"{P}/tasks/{id}/status", done)
    assert await api.shown(id) == before
    problem = await api.bot.refused(409, "PUT", f"{P}/tasks/{id}/status", {"status": "failed"} | word)
    assert problem["code"] == "stale_lease"
    assert (await api.shown(id))["result"] == "r"
    output = await api.alice.ok("GET", f"{P}/tasks/{id}/output")
    assert [each["output"] for each in output["outputs"]] == ["last"]


async def test_a_superseded_holder_is_refused_and_its_result_is_no_result(api: Api) -> None:
    id, old = await running(api)
    await api.alice.ok("POST", f"{P}/tasks/{id}/requeue")
    await api.claimed(id, "w2")
    for method, path, body in (
        ("PUT", f"{P}/tasks/{id}/status", {"status": "completed", "result": "old"}),
        ("PUT", f"{P}/tasks/{id}/status", {"status": "running"}),
        ("POST", f"{P}/tasks/{id}/output", {"output": "old"}),
        ("POST", f"{P}/tasks/{id}/ask", {"prompt": "?"}),
        ("POST", "/v1/worker/tasks/renew", {"task_id": id}),
        ("POST", "/v1/worker/tasks/release", {"task_id": id}),
    ):
        assert (await api.bot.refused(409, method, path, body | old))["code"] == "stale_lease"
    task = await api.shown(id)
    assert (task["status"], task["worker_id"], task["result"]) == ("running", "w2", None)
    assert (await api.alice.ok("GET", f"{P}/tasks/{id}/output"))["total"] == 0


async def test_another_principal_is_not_the_holder_without_a_token(api: Api) -> None:
    id = (await api.task())["id"]
    await api.claimed(id, lease=False)
    body = {"status": "completed", "worker_id": "w1"}
    assert (await api.other.refused(409, "PUT", f"{P}/tasks/{id}/status", body))["code"] == "stale_lease"
    assert (await api.shown(id))["status"] == "running"


async def test_a_cancelled_run_may_trail_then_says_that_it_stopped(api: Api) -> None:
    id, word = await running(api)
    await api.bot.refused(409, "PUT", f"{P}/tasks/{id}/status", {"status": "cancelled"} | word)
    await api.alice.ok("POST", f"{P}/tasks/{id}/cancel")
    assert (await api.shown(id))["stopped"] is False
    problem = await api.bot.refused(409, "POST", "/v1/worker/tasks/renew", {"task_id": id} | word)
    assert problem["state"] == "cancelled"
    await api.bot.ok("POST", f"{P}/tasks/{id}/output", {"output": "late"} | word)
    await api.bot.ok("PUT", f"{P}/tasks/{id}/status", {"status": "cancelled"} | word)
    assert (await api.shown(id))["stopped"] is True
    output = await api.alice.ok("GET", f"{P}/tasks/{id}/output")
    assert output["outputs"][0]["after_cancel"] is True


@covers("POST /v1/agent/tasks/{id}/output", "GET /v1/agent/tasks/{id}/output")
async def test_output_is_read_by_ordinal_and_by_cursor(api: Api) -> None:
    id, word = await running(api)
    one = {"output": "a", "timestamp": "2026-11-22T15:00:31.942252", "stream": "stderr"} | word
    assert await api.bot.ok("POST", f"{P}/tasks/{id}/output", one) == {"success": True, "accepted": 1}
    batch = {"outputs": [{"output": "b"}, {"output": "c", "event": {"type": "tool_use"}}], "first": 1} | word
    for _ in range(2):
        assert (await api.bot.ok("POST", f"{P}/tasks/{id}/output", batch))["accepted"] == 2
    whole = await api.alice.ok("GET", f"{P}/tasks/{id}/output")
    assert (whole["total"], whole["next"], whole["task_id"]) == (3, 3, id)
    assert [each["output"] for each in whole["outputs"]] == ["a", "b", "c"]
    first = whole["outputs"][0]
    assert (first["stream"], first["worker_id"], first["attempt"], first["codebase_id"]) == (
        "stderr",
        "w1",
        1,
        "global",
    )
    assert first["produced_at"] == "2026-11-22T15:00:31.942252Z"
    sequences = [each["sequence"] for each in whole["outputs"]]
    assert sequences == list(range(sequences[0], sequences[0] + 3))
    tail = await api.alice.ok("GET", f"{P}/tasks/{id}/output?since=1&limit=1")
    assert ([each["output"] for each in tail["outputs"]], tail["next"]) == (["b"], 2)
    for beyond in (3, 10, 10**17):
        assert (await api.alice.ok("GET", f"{P}/tasks/{id}/output?since={beyond}"))["outputs"] == []
    head = await api.services.backend.log.start()
    first = await api.alice.ok("GET", f"{P}/tasks/{id}/output?since={head}&limit=1")
    rest = await api.alice.ok("GET", f"{P}/tasks/{id}/output?since={first['next']}")
    by_cursor = await api.alice.ok("GET", f"{P}/tasks/{id}/output?since={head}")
    assert [each["output"] for each in by_cursor["outputs"]] == ["a", "b", "c"]
    assert len(first["outputs"]) == 1
    assert first["outputs"] + rest["outputs"] == by_cursor["outputs"]
    assert (await api.alice.ok("GET", f"{P}/tasks/{id}/output?since={by_cursor['next']}"))["outputs"] == []
    await api.alice.refused(410, "GET", f"{P}/tasks/{id}/output?since=elsewhere.3")
    assert (await api.alice.refused(400, "GET", f"{P}/tasks/{id}/output?since=x"))["field"] == "since"


async def test_1500_lines_are_all_there(api: Api) -> None:
    id, word = await running(api)
    for start in range(0, 1500, 300):
        lines = [{"output": f"line {at}"} for at in range(start, start + 300)]
        await api.bot.ok("POST", f"{P}/tasks/{id}/output", {"outputs": lines, "first": start} | word)
    output = await api.alice.ok("GET", f"{P}/tasks/{id}/output?limit=10000")
    assert [each["output"] for each in output["outputs"]] == [f"line {at}" for at in range(1500)]


@covers(
    "POST /v1/agent/tasks/{id}/ask",
    "POST /v1/agent/tasks/{id}/answer",
    "GET /v1/agent/approvals",
    "GET /v1/agent/approvals/{id}",
)
async def test_what_a_task_asks_is_listed_shown_and_answered(api: Api) -> None:
    id, word = await running(api)
    options = [{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No", "allows": False}]
    body = {"prompt": "May I?", "kind": "permission", "options": options, "details": {"path": "/x"}} | word
    asked = await api.bot.ok("POST", f"{P}/tasks/{id}/ask", body)
    approval = asked["approval"]
    assert asked["task"]["status"] == (await api.shown(id))["status"] == "input_required"
    assert (await api.shown(id))["awaiting"] == [approval["id"]]
    listed = await api.alice.ok("GET", f"{P}/approvals?status=open&task_id={id}")
    assert listed == {"approvals": [approval]}
    assert await api.alice.ok("GET", f"{P}/approvals/{approval['id']}") == approval
    wrong = await api.alice.refused(422, "POST", f"{P}/tasks/{id}/answer", {"choice": "maybe"})
    assert wrong["field"] == "choice"
    await api.alice.ok("POST", f"{P}/tasks/{id}/answer", {"choice": "yes"})
    assert (await api.shown(id))["status"] == "running"
    shown = await api.bot.ok("GET", f"{P}/approvals/{approval['id']}?wait=60")
    assert (shown["status"], shown["choice"], shown["answered_by"]) == ("answered", "yes", "alice")
    late = await api.alice.refused(409, "POST", f"{P}/approvals/{approval['id']}/answer", {"choice": "no"})
    assert late["winner"] == "alice"
    assert (await api.alice.refused(409, "POST", f"{P}/tasks/{id}/answer", {"choice": "no"}))["code"] == "conflict"


async def test_of_two_questions_the_one_answered_has_to_be_named(api: Api) -> None:
    id, word = await running(api)
    first = (await api.bot.ok("POST", f"{P}/tasks/{id}/ask", {"prompt": "a?"} | word))["approval"]
    await api.bot.ok("POST", f"{P}/tasks/{id}/ask", {"prompt": "b?"} | word)
    await api.alice.refused(409, "POST", f"{P}/tasks/{id}/answer", {"text": "x"})
    answered = await api.alice.ok("POST", f"{P}/tasks/{id}/answer", {"text": "x", "approval_id": first["id"]})
    assert answered["approval"]["text"] == "x"
    assert (await api.shown(id))["status"] == "input_required"


@covers("POST /v1/agent/approvals/{id}/answer")
async def test_a_parked_question_gives_the_task_back_and_its_answer_makes_it_pending(api: Api) -> None:
    id, word = await running(api)
    asked = await api.bot.ok("POST", f"{P}/tasks/{id}/ask", {"prompt": "?", "held": False} | word)
    await api.bot.refused(409, "POST", "/v1/worker/tasks/renew", {"task_id": id} | word)
    await api.alice.ok("POST", f"{P}/approvals/{asked['approval']['id']}/answer", {"text": "go"})
    assert (await api.shown(id))["status"] == "pending"


async def test_waiting_for_an_answer_ends_with_it(api: Api) -> None:
    id, word = await running(api)
    asked = await api.bot.ok("POST", f"{P}/tasks/{id}/ask", {"prompt": "?"} | word)
    path = f"{P}/approvals/{asked['approval']['id']}"
    waiting = asyncio.create_task(api.bot.ok("GET", f"{path}?wait=60"))
    await begun(api)
    await api.alice.ok("POST", f"{path}/answer", {"text": "yes"})
    assert (await asyncio.wait_for(waiting, 5))["text"] == "yes"
    await api.alice.refused(422, "GET", f"{path}?wait=61")


async def test_waiting_for_an_answer_ends_when_the_server_leaves(api: Api) -> None:
    id, word = await running(api)
    asked = await api.bot.ok("POST", f"{P}/tasks/{id}/ask", {"prompt": "?"} | word)
    waiting = asyncio.create_task(api.bot.ok("GET", f"{P}/approvals/{asked['approval']['id']}?wait=60"))
    await begun(api)
    api.app.drain.begin()
    assert (await asyncio.wait_for(waiting, 5))["status"] == "open"


async def begun(api: Api) -> None:
    """Return once a request waits."""
    async with asyncio.timeout(5):
        while not api.app.drain.open:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)


@covers("GET /v1/agent/tasks/{id}/log")
async def test_a_tasks_whole_log_can_be_read_whatever_was_forgotten(api: Api) -> None:
    id, holder = await running(api)
    await api.bot.ok("POST", f"{P}/tasks/{id}/output", {"output": "hello", **holder})
    await api.bot.ok("PUT", f"{P}/tasks/{id}/status", {"status": "completed", "result": "done", **holder})
    before = await api.alice("GET", f"{P}/tasks/{id}/log")
    assert before.headers["content-type"] == "application/x-ndjson"
    kinds = [json.loads(line)["kind"] for line in before.text.splitlines()]
    assert kinds == ["task.created", "task.status", "task.output", "task.completed"]
    api.clock.advance(timedelta(days=60))
    while await api.services.maintenance.forget():
        pass
    assert (await api.alice("GET", f"{P}/tasks/{id}/log")).text == before.text
    page = await api.alice.ok("GET", f"{P}/tasks/{id}/output")
    assert [each["output"] for each in page["outputs"]] == ["hello"]
    assert (page["total"], page["next"]) == (1, 1)
