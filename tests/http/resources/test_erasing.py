"""Erasing tasks and sessions: who may, what is gone from then on, and what goes on as before."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.coverage import covers
from tests.http.resources.harness import Api, data

P = "/v1/agent"
WORD = "wordthatmustgo"


async def done(api: Api, who: str = "alice", session: str | None = None, **members: Any) -> str:
    """A task that has ended, with the word in everything that it left."""
    caller = getattr(api, who)
    task: str = (await caller.ok("POST", f"{P}/tasks", {"prompt": WORD, "title": WORD, **members}))["id"]
    at, holder = f"{P}/tasks/{task}", {"worker_id": "w1"}
    await api.bot.ok("POST", "/v1/worker/tasks/claim", {"task_id": task, **holder})
    if session is not None:
        await api.bot.ok("PUT", f"{at}/status", {**holder, "status": "running", "session_id": session})
    await api.bot.ok("POST", f"{at}/output", {**holder, "output": WORD})
    await api.bot.ok("POST", f"{at}/ask", {**holder, "prompt": WORD})
    await caller.ok("POST", f"{at}/answer", {"text": WORD})
    await api.bot.ok("PUT", f"{at}/artifacts/{WORD}.txt", content=WORD.encode(), headers={"X-Worker-ID": "w1"})
    await api.bot.ok("PUT", f"{at}/status", {**holder, "status": "completed", "result": WORD})
    return task


async def told(api: Api, codebase: str, session: str) -> Any:
    """What workers tell of a session, again and again."""
    at, said = f"{P}/codebases/{codebase}/sessions", [{"id": "m1", "role": "user", "parts": [{"text": WORD}]}]
    listed = {"worker_id": "w1", "sessions": [{"id": session, "title": WORD}]}
    answers = [await api.deployed.ok("POST", f"{at}/sync", listed)]
    return [
        *answers,
        await api.deployed.ok("POST", f"{at}/{session}/messages/sync", {"worker_id": "w1", "messages": said}),
    ]


@covers("DELETE /v1/agent/tasks/{id}")
async def test_an_erased_task_is_as_if_it_had_never_been(api: Api) -> None:
    codebase = await api.codebase()
    first = await api.services.backend.log.head()
    task, other = await done(api, codebase_id=codebase), await done(api, codebase_id=codebase)
    where = [f"{P}/tasks/{task}{rest}" for rest in ("", "/output", "/log", "/artifacts", "/explain", "/events")]
    for path in where:
        assert (await api.alice("GET", path)).status_code == 200
    erased = await api.alice.ok("DELETE", f"{P}/tasks/{task}")
    assert erased == {"success": True, "message": "Task erased", "task_id": task}
    for path in (*where, f"{P}/tasks/{task}/artifacts/{WORD}.txt", f"{P}/tasks/{task}/output/stream"):
        assert (await api.alice.refused(404, "GET", path))["code"] == "task_not_found", path
    for verb in ("cancel", "retry", "requeue", "review"):
        assert (await api.alice.refused(404, "POST", f"{P}/tasks/{task}/{verb}"))["code"] == "task_not_found"
    await api.alice.refused(404, "DELETE", f"{P}/tasks/{task}")
    assert (await api.alice("GET", f"/a2a/rest/tasks/{task}")).status_code == 404
    late = {"worker_id": "w1", "output": WORD}
    assert (await api.bot.refused(404, "POST", f"{P}/tasks/{task}/output", late))["code"] == "task_not_found"
    assert [each["id"] for each in await api.alice.ok("GET", f"{P}/tasks")] == [other]
    asked = (await api.alice.ok("GET", f"{P}/approvals"))["approvals"]
    assert {each["task_id"] for each in asked} == {other}
    messages = await api.alice.ok("GET", "/v1/monitor/messages")
    assert {each["metadata"].get("task_id") for each in messages} == {other, None}
    async with api.watch(f"{P}/codebases/{codebase}/events?since={first}") as stream:
        seen = [data(await stream.event()) for _ in range(5)]
        assert {each["task_id"] for each in seen} == {other}
    assert (await api.alice.ok("GET", f"{P}/tasks/{other}/output"))["outputs"]


@covers("DELETE /v1/agent/tasks/{id}")
@pytest.mark.parametrize("state", ["pending", "running", "input_required"])
async def test_what_goes_on_is_not_erased(api: Api, state: str) -> None:
    """It is said what to do first; then it is."""
    task = (await api.task())["id"]
    if state != "pending":
        await api.claimed(task, lease=False)
    if state == "input_required":
        await api.bot.ok("POST", f"{P}/tasks/{task}/ask", {"worker_id": "w1", "prompt": "?"})
    problem = await api.alice.refused(409, "DELETE", f"{P}/tasks/{task}")
    assert (problem["code"], problem["hint"], problem["state"]) == ("task_not_ended", "cancel it first", state)
    await api.alice.ok("POST", f"{P}/tasks/{task}/cancel")
    await api.alice.ok("DELETE", f"/v1/opencode/tasks/{task}")
    await api.alice.refused(404, "GET", f"{P}/tasks/{task}")


@covers("DELETE /v1/agent/tasks/{id}")
async def test_an_editor_erases_what_is_his_own_and_an_operator_anybodys(api: Api) -> None:
    for who in ("alice", "deployed"):
        task = await done(api, who)
        others = {"alice", "deployed", "eve", "ann", "bot"} - {who}
        for other in others:
            problem = await getattr(api, other).refused(403, "DELETE", f"{P}/tasks/{task}")
            assert problem["code"] == "permission_denied"
        await api.shown(task)
        await getattr(api, who).ok("DELETE", f"{P}/tasks/{task}")
    await api.olga.ok("DELETE", f"{P}/tasks/{await done(api)}")
    assert await api.alice.ok("GET", f"{P}/tasks") == []


@pytest.mark.parametrize(
    "path", [f"{P}/tasks/{{}}/events", "/v1/opencode/tasks/{}/events", f"{P}/tasks/{{}}/output/stream"]
)
async def test_an_open_stream_of_an_erased_task_ends(api: Api, path: str) -> None:
    """Though its worker has not confirmed yet that nothing runs any more; and who reads on is told that it is gone."""
    task = (await api.task(title=WORD))["id"]
    await api.claimed(task)
    async with api.watch(path.format(task)) as stream:
        assert stream.status == 200
        await stream.chunk()
        await api.alice.ok("POST", f"{P}/tasks/{task}/cancel")
        await api.alice.ok("DELETE", f"{P}/tasks/{task}")
        assert "erased" not in str(await stream.rest())
    again = await api.alice.refused(404, "GET", path.format(task), headers={"Last-Event-ID": stream.last_event_id})
    assert again["code"] == "task_not_found"


async def test_a_key_that_made_a_task_which_was_erased_makes_no_other(api: Api) -> None:
    key = {"Idempotency-Key": "once"}
    body = {"prompt": "p"}
    task = (await api.alice.ok("POST", f"{P}/tasks", body, headers=key))["id"]
    await api.alice.ok("POST", f"{P}/tasks/{task}/cancel")
    await api.alice.ok("DELETE", f"{P}/tasks/{task}")
    problem = await api.alice.refused(409, "POST", f"{P}/tasks", body, headers=key)
    assert (problem["code"], problem["hint"]) == ("idempotency_mismatch", "use a new key")


@covers("DELETE /v1/agent/codebases/{id}/sessions/{sid}")
async def test_an_erased_session_takes_its_tasks_with_it_and_never_comes_back(api: Api) -> None:
    """However often workers tell of it, who are answered as ever; another session stays as it is."""
    codebase = await api.codebase()
    at = f"{P}/codebases/{codebase}/sessions"
    ran, stays = [await done(api, codebase_id=codebase, session="ses_gone") for _ in range(2)], "ses_stays"
    kept = await done(api, codebase_id=codebase, session=stays)
    answers = await told(api, codebase, "ses_gone")
    await told(api, codebase, stays)
    resumed = (await api.alice.ok("POST", f"{at}/ses_gone/resume", {"prompt": WORD}))["task_id"]
    problem = await api.alice.refused(409, "DELETE", f"{at}/ses_gone")
    assert (problem["code"], problem["hint"], problem["id"]) == ("task_not_ended", "cancel it first", resumed)
    for task in ran:
        await api.shown(task)
    await api.alice.ok("POST", f"{P}/tasks/{resumed}/cancel")
    erased = await api.alice.ok("DELETE", f"/v1/agent/workspaces/{codebase}/sessions/ses_gone")
    assert erased == {"success": True, "message": "Session erased", "session_id": "ses_gone", "tasks_erased": 3}
    assert await told(api, codebase, "ses_gone") == answers
    for task in (*ran, resumed):
        await api.alice.refused(404, "GET", f"{P}/tasks/{task}")
    assert (await api.alice.refused(404, "GET", f"{at}/ses_gone"))["code"] == "session_not_found"
    await api.alice.refused(404, "POST", f"{at}/ses_gone/resume", {"prompt": "p"})
    assert (await api.alice.ok("GET", f"{at}/ses_gone/messages"))["messages"] == []
    assert [each["id"] for each in (await api.alice.ok("GET", f"{at}?q={WORD}"))["sessions"]] == [stays]
    assert len((await api.alice.ok("GET", f"{at}/{stays}/messages"))["messages"]) == 1
    await api.shown(kept)
    refused = await api.alice.refused(409, "POST", f"{at}/ses_gone/ingest", {"messages": [{"id": "m2"}]})
    assert refused["code"] == "session_erased"
    await api.alice.refused(404, "DELETE", f"{at}/ses_gone")


@covers("DELETE /v1/agent/codebases/{id}/sessions/{sid}")
async def test_a_session_is_whose_its_tasks_are(api: Api) -> None:
    """All of them: else nothing is erased, but by an operator; and so it is where nobody's task ran in it."""
    codebase = await api.codebase()
    at = f"{P}/codebases/{codebase}/sessions"
    mine = await done(api, codebase_id=codebase, session="ses_a")
    theirs = await done(api, "deployed", codebase_id=codebase, session="ses_a")
    for session in ("ses_a", "ses_b"):
        await told(api, codebase, session)
        for who in ("alice", "deployed", "eve", "bot"):
            await getattr(api, who).refused(403, "DELETE", f"{at}/{session}")
        assert (await api.alice.ok("GET", f"{at}/{session}"))["title"] == WORD
    for task in (mine, theirs):
        await api.shown(task)
    assert (await api.olga.ok("DELETE", f"{at}/ses_a"))["tasks_erased"] == 2
    assert (await api.olga.ok("DELETE", f"{at}/ses_b"))["tasks_erased"] == 0
    await api.olga.refused(404, "DELETE", f"{at}/ses_c")
    assert (await api.alice.ok("GET", at))["total"] == 0


@covers("DELETE /v1/agent/codebases/{id}/sessions/{sid}")
async def test_who_asks_to_go_on_with_a_session_has_no_part_in_it(api: Api) -> None:
    """Anybody may name it: that gives no leave to erase it, and takes none from whoever began it."""
    codebase = await api.codebase()
    at = f"{P}/codebases/{codebase}/sessions"
    hers = await done(api, codebase_id=codebase, session="ses_a")
    await told(api, codebase, "ses_a")
    body = {"prompt": "p", "codebase_id": codebase, "metadata": {"resume_session_id": "ses_a"}}
    cancelled, waits = [(await api.deployed.ok("POST", f"{P}/tasks", body))["id"] for _ in range(2)]
    await api.deployed.ok("POST", f"{P}/tasks/{cancelled}/cancel")
    await api.deployed.refused(403, "DELETE", f"{at}/ses_a")
    await api.shown(hers)
    assert (await api.alice.ok("DELETE", f"{at}/ses_a"))["tasks_erased"] == 1
    for task in (cancelled, waits):
        await api.shown(task)
    await api.alice.refused(404, "GET", f"{P}/tasks/{hers}")


@covers("DELETE /v1/agent/codebases/{id}/sessions/{sid}")
async def test_who_only_went_on_with_a_session_does_not_erase_it(api: Api) -> None:
    """Though nobody's but his tasks are left in it."""
    codebase = await api.codebase()
    at = f"{P}/codebases/{codebase}/sessions"
    hers = await done(api, codebase_id=codebase, session="ses_a")
    await told(api, codebase, "ses_a")
    went_on = {"metadata": {"resume_session_id": "ses_a"}}
    await done(api, "deployed", codebase_id=codebase, session="ses_a", **went_on)
    await api.alice.refused(403, "DELETE", f"{at}/ses_a")
    await api.alice.ok("DELETE", f"{P}/tasks/{hers}")
    assert "began" in (await api.deployed.refused(403, "DELETE", f"{at}/ses_a"))["detail"]
    assert (await api.olga.ok("DELETE", f"{at}/ses_a"))["tasks_erased"] == 1


async def test_what_a_run_said_under_its_own_name_goes_with_its_task(api: Api) -> None:
    """Where the agent names no session, its worker tells of one that goes by the task's id: now, or later."""
    codebase = await api.codebase()
    at = f"{P}/codebases/{codebase}/sessions"
    early, late = [await done(api, codebase_id=codebase) for _ in range(2)]
    await told(api, codebase, early)
    for task in (early, late):
        await api.alice.ok("DELETE", f"{P}/tasks/{task}")
        await told(api, codebase, task)
    assert (await api.alice.ok("GET", at))["total"] == 0
