"""The runtime's history, as deployed pages ask for it, from what workers synced."""

import pytest

from tests.http.coverage import covers
from tests.http.resources.test_sessions import SAID, TOLD, say, tell
from tests.http.resources.world import open_world

AT = "/v1/agent/runtime"


@covers("GET /v1/agent/status", f"GET {AT}/status")
async def test_the_status_follows_who_is_there_and_what_was_synced() -> None:
    async with open_world() as world:
        status = await world.get("/v1/agent/status")
        assert (status["available"], status["registered_codebases"]) == (False, 0)
        assert status["runtime"] == {"available": False, "storage_path": None, "projects": 0, "sessions": 0}
        await world.register()
        codebase = await world.codebase()
        await world.codebase("empty")
        await tell(world, codebase, TOLD)
        status = await world.get("/v1/agent/status")
        assert (status["available"], status["registered_codebases"]) == (True, 2)
        runtime = await world.get(f"{AT}/status")
        assert (runtime["available"], runtime["projects"], runtime["sessions"]) == (True, 1, 1)
        world.clock.advance(seconds=60)
        assert (await world.get("/v1/agent/status"))["available"] is False


@covers(f"GET {AT}/projects", f"GET {AT}/sessions", f"GET {AT}/sessions/{{id}}")
async def test_a_project_is_a_codebase_with_sessions() -> None:
    async with open_world() as world:
        codebase, other = await world.codebase(), await world.codebase("other", "/srv/other")
        await tell(world, codebase, TOLD, {"id": "ses_2", "updated": "2026-01-01T00:00:00"})
        await tell(world, other, {"id": "ses_3", "updated": "2026-01-02T00:00:00"})
        projects = {each["id"]: each for each in (await world.get(f"{AT}/projects"))["projects"]}
        assert projects[codebase]["worktree"] == "/srv/demo"
        assert projects[codebase]["updated_at"] == "2026-01-01T00:00:00.000000Z"
        assert {id: each["session_count"] for id, each in projects.items()} == {codebase: 2, other: 1}
        listed = await world.get(f"{AT}/sessions", project_id=codebase, limit=1, offset=1)
        assert (listed["total"], listed["limit"], listed["offset"]) == (2, 1, 1)
        assert listed["sessions"][0] == (await world.get(f"{AT}/sessions/ses_fake123"))["session"]
        assert listed["sessions"][0]["summary"] == {"files": 1}
        assert [each["id"] for each in (await world.get(f"{AT}/sessions"))["sessions"]] == [
            "ses_3", "ses_2", "ses_fake123"
        ]  # fmt: skip


@covers(f"GET {AT}/sessions/{{id}}/messages", f"GET {AT}/sessions/{{id}}/parts")
async def test_messages_and_parts_are_those_that_were_told() -> None:
    async with open_world() as world:
        codebase = await world.codebase()
        await say(world, codebase, SAID, SAID | {"id": "msg_2", "parts": [{"type": "a"}, "bare"], "cost": 0.5})
        found = await world.get(f"{AT}/sessions/ses_fake123/messages", limit=1, offset=1)
        assert (found["total"], found["session_id"]) == (2, "ses_fake123")
        (message,) = found["messages"]
        assert (message["id"], message["cost"], message["model"]) == ("msg_2", 0.5, "anthropic/claude-x")
        assert "parts" not in message
        everything = await world.get(f"{AT}/sessions/ses_fake123/parts")
        assert everything["parts"][0] == {"id": "prt_1", "type": "text", "text": "hi there", "message_id": "msg_1"}
        assert everything["parts"][1:] == [{"type": "a", "message_id": "msg_2"}, "bare"]
        assert len((await world.get(f"{AT}/sessions/ses_fake123/parts", limit=2))["parts"]) == 2
        one = await world.get(f"{AT}/sessions/ses_fake123/parts", message_id="msg_1")
        assert (len(one["parts"]), one["message_id"]) == (1, "msg_1")


async def test_parts_are_found_beyond_the_first_page_of_messages() -> None:
    async with open_world() as world:
        codebase = await world.codebase()
        told = [{"id": f"m{n}", "time": {"created": 1_760_000_000_000 + n}, "parts": [{"n": n}]} for n in range(250)]
        await say(world, codebase, *told)
        found = await world.get(f"{AT}/sessions/ses_fake123/parts", message_id="m249")
        assert found["parts"] == [{"n": 249, "message_id": "m249"}]
        assert len((await world.get(f"{AT}/sessions/ses_fake123/parts", limit=1000))["parts"]) == 250


async def test_an_id_of_two_codebases_is_the_last_updated_or_the_one_asked_for() -> None:
    async with open_world() as world:
        first, second = await world.codebase("a"), await world.codebase("b")
        await tell(world, first, {"id": "s", "title": "first", "updated": "2026-01-02T00:00:00"})
        await tell(world, second, {"id": "s", "title": "second", "updated": "2026-01-01T00:00:00"})
        assert (await world.get(f"{AT}/sessions/s"))["session"]["title"] == "first"
        assert (await world.get(f"{AT}/sessions/s", project_id=second))["session"]["title"] == "second"


@pytest.mark.parametrize("id", ["none", "..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd"])
@pytest.mark.parametrize("rest", ["", "/messages", "/parts"])
async def test_an_id_is_an_id_and_no_path(id: str, rest: str) -> None:
    async with open_world() as world:
        refused = await world.client.get(f"{AT}/sessions/{id}{rest}")
        assert (refused.status_code, refused.json()["code"]) == (404, "session_not_found")


@pytest.mark.parametrize("path", ["sessions", "sessions/s/messages", "sessions/s/parts"])
async def test_a_limit_out_of_bounds_is_refused_by_name(path: str) -> None:
    async with open_world() as world:
        refused = await world.client.get(f"{AT}/{path}", params={"limit": 1001})
        assert (refused.status_code, refused.json()["field"]) == (422, "limit")
