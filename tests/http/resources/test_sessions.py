"""Sessions: told by workers, read by anybody, resumed; what was told is never taken back."""

from typing import Any

import pytest

from tests.http.coverage import covers
from tests.http.resources.world import World, ok, open_world

AT = "/v1/agent/codebases/{id}/sessions"

TOLD = {
    "id": "ses_fake123",
    "title": "Fake",
    "directory": "/home/dev/demo",
    "project_id": "p1",
    "created": "2025-10-09T08:53:20",
    "updated": "2025-10-09T08:53:21",
    "messageCount": 1,
    "summary": {"files": 1},
    "version": "1.0",
}
"""As a deployed worker sends it (wire.md, Appendix A)."""

SAID = {
    "id": "msg_1",
    "sessionID": "ses_fake123",
    "role": "user",
    "time": {"created": "2025-10-09T08:53:20.500000"},
    "agent": "build",
    "model": "anthropic/claude-x",
    "cost": None,
    "tokens": None,
    "tool_calls": [],
    "parts": [{"id": "prt_1", "type": "text", "text": "hi there"}],
}


async def tell(world: World, codebase: str, *sessions: dict[str, Any]) -> Any:
    path = f"/v1/opencode/codebases/{codebase}/sessions/sync"
    return ok(await world.worker.post(path, json={"worker_id": "wrk-1", "sessions": sessions}))


async def say(world: World, codebase: str, *messages: dict[str, Any], session: str = "ses_fake123") -> Any:
    path = f"/v1/opencode/codebases/{codebase}/sessions/{session}/messages/sync"
    return ok(await world.worker.post(path, json={"worker_id": "wrk-1", "messages": messages}))


async def texts(world: World, codebase: str, session: str = "ses_fake123") -> list[str]:
    found = await world.get(f"/v1/agent/codebases/{codebase}/sessions/{session}/messages")
    return [message["parts"][0]["text"] for message in found["messages"]]


@covers(f"POST {AT}/sync", f"GET {AT}", f"GET {AT}/{{sid}}")
async def test_what_a_deployed_worker_tells_can_be_read_under_every_name() -> None:
    async with open_world() as world:
        codebase = await world.codebase()
        assert (await world.get(f"/v1/agent/codebases/{codebase}/sessions"))["total"] == 0
        assert await tell(world, codebase, TOLD) == {"success": True, "sessions_count": 1}
        listed = await world.get(f"/v1/agent/codebases/{codebase}/sessions")
        assert (listed["total"], listed["hasMore"], listed["source"]) == (1, False, "worker_sync")
        (session,) = listed["sessions"]
        assert (
            TOLD | {"created": "2025-10-09T08:53:20.000000Z", "updated": "2025-10-09T08:53:21.000000Z"}
        ).items() <= (session.items())
        assert session["worker_id"] == "wrk-1"
        for prefix in ("/v1/agent/codebases", "/v1/opencode/codebases", "/v1/agent/workspaces"):
            assert await world.get(f"{prefix}/{codebase}/sessions/ses_fake123") == session


async def test_a_page_of_sessions_is_the_last_updated_that_match() -> None:
    async with open_world() as world:
        codebase = await world.codebase()
        told = [{"id": f"s{n}", "title": f"Fix {n}", "updated": f"2026-01-0{n}T00:00:00"} for n in range(1, 6)]
        await tell(world, codebase, *told, {"id": "other", "title": "Elsewhere"})

        async def page(**query: Any) -> tuple[list[str], int, bool]:
            found = await world.get(f"/v1/agent/codebases/{codebase}/sessions", **query)
            return [session["id"] for session in found["sessions"]], found["total"], found["hasMore"]

        assert await page(q="fIX", limit=2) == (["s5", "s4"], 5, True)
        assert await page(q="fix", limit=2, offset=4) == (["s1"], 5, False)
        assert await page(q="fix", offset=9) == ([], 5, False)
        assert (await page())[1] == 6


@pytest.mark.parametrize(
    ("query", "field"), [({"limit": 0}, "limit"), ({"limit": 201}, "limit"), ({"offset": -1}, "offset")]
)
async def test_a_page_out_of_bounds_is_refused_by_name(query: dict[str, int], field: str) -> None:
    async with open_world() as world:
        refused = await world.client.get(f"/v1/agent/codebases/{await world.codebase()}/sessions", params=query)
        assert (refused.status_code, refused.json()["field"]) == (422, field)


async def test_an_unknown_codebase_is_404_so_that_the_worker_registers_it_again() -> None:
    async with open_world() as world:
        at = "/v1/opencode/codebases/none/sessions"
        for path, body in (
            ("/sync", {"worker_id": "w", "sessions": []}),
            ("/s/messages/sync", {"worker_id": "w", "messages": []}),
            ("/s/ingest", {}),
        ):
            refused = await world.worker.post(f"{at}{path}", json=body)
            assert (refused.status_code, refused.json()["code"]) == (404, "codebase_not_found")
        assert (await world.client.get(at)).status_code == 404
        assert (await world.client.get("/v1/agent/codebases/none/messages")).status_code == 404


async def test_one_id_in_two_codebases_is_two_sessions() -> None:
    async with open_world() as world:
        first, second = await world.codebase("a"), await world.codebase("b")
        await tell(world, first, {"id": "ses_1", "title": "first"})
        await tell(world, second, {"id": "ses_1", "title": "second"})
        await say(world, first, SAID, session="ses_1")
        assert (await world.get(f"/v1/agent/codebases/{first}/sessions/ses_1"))["title"] == "first"
        assert (await world.get(f"/v1/agent/codebases/{second}/sessions/ses_1"))["title"] == "second"
        assert await texts(world, second, "ses_1") == []


async def test_what_is_told_again_unchanged_is_no_event() -> None:
    """Workers tell all their sessions every minute."""
    async with open_world() as world:
        codebase = await world.codebase()
        await tell(world, codebase, TOLD)
        head = await world.services.backend.log.head()
        world.clock.advance(seconds=60)
        await tell(world, codebase, TOLD)
        assert await world.services.backend.log.head() == head
        listed = await world.get(f"/v1/agent/codebases/{codebase}/sessions")
        assert listed["synced_at"] == "2026-11-22T12:01:00.123456Z"
        await tell(world, codebase, TOLD | {"title": "New"})
        assert (await world.services.backend.log.head()).position > head.position


async def test_a_later_telling_takes_nothing_back() -> None:
    async with open_world() as world:
        codebase = await world.codebase()
        await tell(world, codebase, TOLD)
        await tell(world, codebase, {"id": "ses_fake123", "created": "2026-01-01T00:00:00", "version": "2.0"})
        session = await world.get(f"/v1/agent/codebases/{codebase}/sessions/ses_fake123")
        assert (session["title"], session["summary"], session["version"]) == ("Fake", {"files": 1}, "2.0")
        assert session["created"] == "2025-10-09T08:53:20.000000Z"


@covers(f"POST {AT}/{{sid}}/messages/sync", f"GET {AT}/{{sid}}/messages")
async def test_messages_are_written_over_by_id_and_kept_when_left_out() -> None:
    async with open_world() as world:
        codebase = await world.codebase()
        assert await say(world, codebase, SAID) == {"success": True, "messages_count": 1}
        answer = {"id": "msg_2", "role": "assistant", "time": {"created": "2025-10-09T08:53:22"}}
        await say(world, codebase, answer | {"parts": [{"type": "text", "text": "hal"}]})
        await say(world, codebase, answer | {"parts": [{"type": "text", "text": "hallo"}]})
        assert await texts(world, codebase) == ["hi there", "hallo"]
        found = await world.get(f"/v1/agent/codebases/{codebase}/sessions/ses_fake123/messages")
        first = found["messages"][0]
        told = SAID | {"time": {"created": "2025-10-09T08:53:20.500000Z"}}
        assert told.items() <= first.items()
        assert (found["session_id"], found["total"], found["source"]) == ("ses_fake123", 2, "worker_sync")


async def test_without_an_offset_the_last_messages_come_oldest_first() -> None:
    async with open_world() as world:
        codebase = await world.codebase()
        await say(world, codebase, *(
            {"id": f"m{n}", "time": {"created": f"2026-01-01T00:00:0{n}"}, "parts": []} for n in range(5)
        ))  # fmt: skip

        async def ids(**query: int) -> list[str]:
            found = await world.get(f"/v1/agent/codebases/{codebase}/sessions/ses_fake123/messages", **query)
            return [message["id"] for message in found["messages"]]

        assert await ids(limit=2) == ["m3", "m4"]
        assert await ids(limit=2, offset=0) == ["m0", "m1"]
        assert await ids() == ["m0", "m1", "m2", "m3", "m4"]


async def test_a_session_nobody_told_has_no_messages_and_is_not_there() -> None:
    async with open_world() as world:
        codebase = await world.codebase()
        found = await world.get(f"/v1/agent/codebases/{codebase}/sessions/none/messages")
        assert (found["messages"], found["total"], found["synced_at"]) == ([], 0, None)
        assert (await world.client.get(f"/v1/agent/codebases/{codebase}/sessions/none")).status_code == 404
        assert (await world.client.post(f"/v1/agent/codebases/{codebase}/sessions/none/resume")).status_code == 404


@covers(f"POST {AT}/{{sid}}/resume")
async def test_a_users_prompt_is_in_the_history_at_once_and_for_good() -> None:
    """The deployed server lost it with the worker's next telling (wire.md, ST-6)."""
    async with open_world() as world:
        codebase = await world.codebase()
        await say(world, codebase, SAID)
        resume = f"/v1/agent/codebases/{codebase}/sessions/ses_fake123/resume"
        answer = await world.post(resume, prompt="go on", agent="plan", model="a/b")
        assert (answer["session_id"], answer["active_session_id"]) == ("ses_fake123", "ses_fake123")
        assert await texts(world, codebase) == ["hi there", "go on"]
        task = await world.get(f"/v1/agent/tasks/{answer['task_id']}")
        assert (task["prompt"], task["agent_type"], task["model"]) == ("go on", "plan", "a/b")
        assert task["metadata"]["resume_session_id"] == "ses_fake123"
        assert task["status"] == "pending"
        await say(world, codebase, SAID)
        await tell(world, codebase, TOLD)
        assert await texts(world, codebase) == ["hi there", "go on"]


async def test_two_prompts_are_two_messages() -> None:
    async with open_world() as world:
        codebase = await world.codebase()
        await tell(world, codebase, TOLD)
        for prompt in ("first", "second"):
            world.clock.advance(seconds=1)
            await world.post(f"/v1/agent/codebases/{codebase}/sessions/ses_fake123/resume", prompt=prompt)
        assert await texts(world, codebase) == ["first", "second"]


async def test_a_session_known_by_its_messages_first_began_when_its_worker_says() -> None:
    async with open_world() as world:
        codebase = await world.codebase()
        await say(world, codebase, SAID)
        session = f"/v1/agent/codebases/{codebase}/sessions/ses_fake123"
        assert (await world.get(session))["created_at"] == "2026-11-22T12:00:00.123456Z"
        await tell(world, codebase, TOLD)
        assert (await world.get(session))["created_at"] == "2025-10-09T08:53:20.000000Z"
        assert (await world.get(session))["updated_at"] == "2026-11-22T12:00:00.123456Z"


async def test_a_resumption_sent_twice_with_a_key_is_one_task() -> None:
    async with open_world() as world:
        codebase = await world.codebase()
        await tell(world, codebase, TOLD)
        resume = f"/v1/agent/codebases/{codebase}/sessions/ses_fake123/resume"
        body, headers = {"prompt": "go on", "model_ref": "a:b/c"}, {"Idempotency-Key": "once"}
        first, second = [ok(await world.client.post(resume, json=body, headers=headers)) for _ in range(2)]
        assert first == second
        assert await texts(world, codebase) == ["go on"]
        assert (await world.get(f"/v1/agent/tasks/{first['task_id']}"))["model"] == "a/b/c"


@covers(f"POST {AT}/{{sid}}/ingest")
async def test_a_session_can_come_from_anywhere() -> None:
    async with open_world() as world:
        codebase = await world.codebase()
        ingested = await world.post(
            f"/v1/agent/codebases/{codebase}/sessions/ses_9/ingest",
            source="import", session={"id": "ignored", "title": "Imported", "created": 1760000000000}, messages=[SAID],
        )  # fmt: skip
        assert ingested == {"success": True, "session_id": "ses_9", "source": "import", "messages_ingested": 1}
        session = await world.get(f"/v1/agent/codebases/{codebase}/sessions/ses_9")
        assert (session["title"], session["source"]) == ("Imported", "import")
        assert session["created"] == "2025-10-09T08:53:20.000000Z"
        assert await texts(world, codebase, "ses_9") == ["hi there"]


@covers("GET /v1/agent/codebases/{id}/messages")
async def test_a_codebases_messages_are_its_last_sessions() -> None:
    async with open_world() as world:
        codebase = await world.codebase()
        messages = f"/v1/agent/codebases/{codebase}/messages"
        nothing = await world.get(messages)
        assert (nothing["messages"], nothing["session_id"], nothing["total"]) == ([], None, 0)
        await say(world, codebase, SAID, session="old")
        world.clock.advance(seconds=1)
        await say(world, codebase, SAID | {"parts": [{"type": "text", "text": "newer"}]}, session="new")
        found = await world.get(messages)
        assert found["session_id"] == "new"
        assert [message["parts"][0]["text"] for message in found["messages"]] == ["newer"]


@pytest.mark.parametrize(
    ("model", "kept"),
    [("a/b", "a/b"), (None, None), ({"providerID": "a", "modelID": "b"}, "a/b"), ({}, None)],
)
async def test_a_model_is_told_in_more_than_one_way(model: object, kept: str | None) -> None:
    async with open_world() as world:
        codebase = await world.codebase()
        await say(world, codebase, SAID | {"model": model})
        found = await world.get(f"/v1/agent/codebases/{codebase}/sessions/ses_fake123/messages")
        assert found["messages"][0]["model"] == kept


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("sync", {"sessions": []}, "worker_id"),
        ("sync", {"worker_id": "w"}, "sessions"),
        ("sync", {"worker_id": "w", "sessions": [{"id": "a"}, {"title": "x"}]}, "sessions.1.id"),
        ("sync", {"worker_id": "w", "sessions": [{"id": ""}]}, "sessions.0.id"),
        ("sync", {"worker_id": "w", "sessions": [{"id": "a", "updated": "noon"}]}, "sessions.0.updated"),
        ("sync", {"worker_id": "w", "sessions": [{"id": "a", "created": True}]}, "sessions.0.created"),
        ("sync", {"worker_id": "w", "sessions": [{"id": "a", "created": 1e300}]}, "sessions.0.created"),
        ("s/messages/sync", {"worker_id": "w", "messages": [{"id": 1}]}, "messages.0.id"),
        ("s/messages/sync", {"worker_id": "w", "messages": [SAID | {"model": 3}]}, "messages.0.model"),
        (
            "s/messages/sync",
            {"worker_id": "w", "messages": [SAID | {"time": {"created": []}}]},
            "messages.0.time.created",
        ),
        ("s/ingest", {"session": [], "messages": []}, "session"),
        ("s/ingest", {"session": {"title": 3}}, "session.title"),
    ],
)
async def test_what_is_wrong_is_refused_by_name_and_nothing_is_kept(path: str, body: Any, field: str) -> None:
    async with open_world() as world:
        at = f"/v1/agent/codebases/{await world.codebase()}/sessions"
        refused = await world.client.post(f"{at}/{path}", json=body)
        assert (refused.status_code, refused.json()["field"]) == (422, field)
        assert (await world.get(at))["total"] == 0


async def test_a_viewer_reads_and_does_not_write() -> None:
    async with open_world() as world:
        at = f"/v1/agent/codebases/{await world.codebase()}/sessions"
        assert (await world.viewer.get(at)).status_code == 200
        for path in ("sync", "s/messages/sync", "s/ingest", "s/resume"):
            assert (await world.viewer.post(f"{at}/{path}", json={})).status_code == 403
