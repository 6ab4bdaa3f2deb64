"""The monitor: what happened, told in words, counted, searched, and answered by a human."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codetether_adapters.memory import log as memory_log
from codetether_adapters.tail import last
from codetether_core.ports import PAGE_BYTES
from codetether_core.services import monitoring
from tests.http.coverage import covers
from tests.http.resources.world import World, ok, open_world

AT = "/v1/monitor"


async def contents(world: World, **query: Any) -> list[str]:
    return [message["content"] for message in await world.get(f"{AT}/messages", **query)]


async def run(world: World, *output: str, prompt: str = "do", status: str = "completed", **report: Any) -> str:
    """A task, run to its end by a worker that prints."""
    id: str = (await world.post("/v1/agent/tasks", prompt=prompt))["id"]
    holder = {"worker_id": "wrk-1"}
    ok(await world.client.post("/v1/worker/tasks/claim", json={"task_id": id, **holder}))
    for text in output:
        await world.post(f"/v1/agent/tasks/{id}/output", output=text, **holder)
    ok(await world.client.put(f"/v1/agent/tasks/{id}/status", json={"status": status, **holder, **report}))
    return id


@covers(f"GET {AT}/messages", f"GET {AT}/messages/count")
async def test_a_run_is_told_in_words_and_counted_by_type() -> None:
    async with open_world() as world:
        assert await contents(world) == []
        await run(world, "line one", '{"type":"tool_use","tool":"bash"}', prompt="fix it")
        assert await contents(world) == [
            "Task created: fix it",
            "Task 'fix it' status: running",
            "line one",
            '{"type":"tool_use","tool":"bash"}',
            "Task 'fix it' status: completed",
        ]
        assert await contents(world, limit=2) == (await contents(world))[-2:]
        assert await contents(world, type="agent") == ["line one"]
        assert await world.get(f"{AT}/messages/count") == {"total": 5, "type_filter": None}
        assert await world.get(f"{AT}/messages/count", type="tool") == {"total": 1, "type_filter": "tool"}
        await run(world, status="failed", error="broken")
        (failed,) = await world.get(f"{AT}/messages", type="error")
        assert (failed["error"], failed["agent_name"]) == ("broken", "Task Manager")


async def test_ids_never_collide_though_time_stands_still() -> None:
    async with open_world() as world:
        await run(world, *(str(number) for number in range(50)))
        messages = await world.get(f"{AT}/messages")
        assert len({message["timestamp"] for message in messages}) == 1
        assert len({message["id"] for message in messages}) == len(messages) == 53


async def test_output_that_is_no_text_spoils_nothing() -> None:
    async with open_world() as world:
        await run(world, '{"type":"text","part":{"text":"\\ud800"},"n":123456789012345678901234567890}', "after")
        assert (await contents(world))[-2] == "after"
        for route in ("messages", "export/json", "export/csv"):
            assert (await world.client.get(f"{AT}/{route}")).status_code == 200


@covers(f"GET {AT}/agents")
async def test_agents_and_workers_are_shown_until_they_expire() -> None:
    async with open_world() as world:
        await world.register("wrk-1", "one")
        await world.post("/v1/agent/agents", name="coder:1")
        await world.post(f"{AT}/intervene", agent_id="coder:1", message="hey")

        async def seen() -> dict[str, tuple[str, str, int]]:
            listed = await world.get(f"{AT}/agents")
            return {each["id"]: (each["name"], each["status"], each["messages_count"]) for each in listed}

        assert await seen() == {"coder:1": ("coder:1", "active", 1), "wrk-1": ("one", "active", 0)}
        world.clock.advance(seconds=120, microseconds=-1)
        assert await seen() == {"coder:1": ("coder:1", "active", 1), "wrk-1": ("one", "absent", 0)}
        await world.register("wrk-2", "two")
        await world.post("/v1/agent/workers/wrk-2/heartbeat")
        world.clock.advance(microseconds=1)
        assert await seen() == {"wrk-2": ("two", "active", 0)}
        await world.post("/v1/agent/workers/wrk-1/heartbeat")
        await world.post("/v1/agent/workers/wrk-2/unregister")
        assert await seen() == {"wrk-1": ("one", "active", 0)}
        await world.post("/v1/agent/workers/wrk-1/unregister")
        assert await seen() == {}


async def test_an_agent_and_a_worker_of_one_name_are_one_entry() -> None:
    async with open_world() as world:
        await world.register("same", "same")
        await world.post("/v1/agent/agents", name="same")
        assert [each["id"] for each in await world.get(f"{AT}/agents")] == ["same"]


@covers(f"POST {AT}/intervene")
@pytest.mark.parametrize("address", ["coder:1", "coder", "wrk-1", "one"])
async def test_a_humans_word_reaches_the_inbox_it_is_for(address: str) -> None:
    async with open_world() as world:
        await world.register("wrk-1", "one")
        await world.post("/v1/agent/agents", name="coder:1")
        intervention = (await world.post(f"{AT}/intervene", agent_id=address, message="stop"))["intervention"]
        assert (intervention["agent_id"], intervention["message"]) == (address, "stop")
        reader = "coder:1" if address == "coder" else address
        (waiting,) = (await world.get("/v1/agent/messages", agent=reader))["messages"]
        assert (waiting["body"], waiting["type"], waiting["from"]) == ("stop", "human", "admin")
        assert (await world.get(f"{AT}/messages", type="human"))[0]["content"] == "stop"
        assert (await world.get(f"{AT}/stats"))["interventions"] == 1


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"agent_id": "nobody", "message": "x"}, 404, None),
        ({"agent_id": "", "message": "x"}, 422, "agent_id"),
        ({"message": "x"}, 422, "agent_id"),
        ({"agent_id": "a"}, 422, "message"),
        ({"agent_id": "a", "message": ""}, 422, "message"),
        ({"agent_id": "a", "message": "x", "timestamp": "noon"}, 422, "timestamp"),
    ],
)
async def test_an_intervention_that_reaches_nobody_is_refused(body: Any, status: int, field: str | None) -> None:
    async with open_world() as world:
        await world.post("/v1/agent/agents", name="a")
        refused = await world.client.post(f"{AT}/intervene", json=body)
        assert (refused.status_code, refused.json().get("field")) == (status, field)


async def test_an_interventions_own_time_is_told_back_in_utc() -> None:
    async with open_world() as world:
        await world.post("/v1/agent/agents", name="a")
        given = {"agent_id": "a", "message": "x", "timestamp": "2026-11-22T14:00:00+02:00"}
        told = (await world.post(f"{AT}/intervene", **given))["intervention"]
        assert told["timestamp"] == "2026-11-22T12:00:00.000000Z"


@covers(f"GET {AT}/stats")
async def test_figures_follow_what_happened() -> None:
    async with open_world() as world:
        empty = await world.get(f"{AT}/stats")
        assert (empty["total_messages"], empty["avg_response_time"], empty["active_agents"]) == (0, None, 0)
        await world.register()
        task = await world.post("/v1/agent/tasks", prompt="x")
        holder = {"worker_id": "wrk-1"}
        ok(await world.client.post("/v1/worker/tasks/claim", json={"task_id": task["id"], **holder}))
        world.clock.advance(seconds=3)
        ok(await world.client.put(f"/v1/agent/tasks/{task['id']}/status", json={"status": "completed", **holder}))
        await run(world, '{"type":"tool_use"}', status="failed", error="e")
        stats = await world.get(f"{AT}/stats")
        assert (stats["tool_calls"], stats["errors"], stats["active_agents"]) == (1, 1, 1)
        assert stats["avg_response_time"] == 3.0
        assert stats["total_messages"] == (await world.get(f"{AT}/messages/count"))["total"]


@covers(f"GET {AT}/workers", f"GET {AT}/models")
async def test_workers_and_models_are_those_of_the_registry() -> None:
    async with open_world() as world:
        await world.register(models=["a/b"])
        assert await world.get(f"{AT}/workers") == await world.get("/v1/agent/workers")
        assert await world.get(f"{AT}/models") == await world.get("/v1/agent/models")
        assert [model["id"] for model in (await world.get(f"{AT}/models"))["models"]] == ["a/b"]


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("messages", {"limit": 0}, "limit"),
        ("messages", {"limit": 1001}, "limit"),
        ("messages", {"limit": "many"}, "limit"),
        ("messages", {"type": "alien"}, "type"),
        ("messages/count", {"type": "alien"}, "type"),
        ("messages/search", {}, "q"),
        ("messages/search", {"q": ""}, "q"),
        ("messages/search", {"q": "x", "limit": -1}, "limit"),
        ("export/json", {"limit": 0}, "limit"),
        ("export/csv", {"limit": 10_001}, "limit"),
    ],
)
async def test_a_question_out_of_bounds_is_refused_by_name(path: str, query: Any, field: str) -> None:
    async with open_world() as world:
        refused = await world.client.get(f"{AT}/{path}", params=query)
        assert (refused.status_code, refused.json()["field"]) == (422, field)


@covers(f"GET {AT}/messages/search")
async def test_a_search_finds_words_that_no_record_holds_as_they_are() -> None:
    """``Task created: …`` is composed when it is told; a search of the records alone would not find it."""
    async with open_world() as world:
        id = await run(world, 'said "hi"\n', prompt="fix")
        found = await world.get(f"{AT}/messages/search", q="TASK CREATED: f")
        assert (found["count"], found["results"][0]["content"]) == (1, "Task created: fix")
        assert (await world.get(f"{AT}/messages/search", q='"HI"\n'))["count"] == 1
        assert (await world.get(f"{AT}/messages/search", q="status: running"))["count"] == 1
        assert (await world.get(f"{AT}/messages/search", q=id))["count"] == 0  # the words, not what goes with them


async def test_a_search_looks_past_records_that_match_elsewhere_only() -> None:
    async with open_world() as world:
        await world.post("/v1/agent/agents", name="a")
        await world.post("/v1/agent/messages", to="a", body="the needle")
        for _ in range(300):
            await world.post("/v1/agent/messages", to="a", body="hay", metadata={"not": "the needle"})
        found = await world.get(f"{AT}/messages/search", q="needle", limit=1)
        assert [each["content"] for each in found["results"]] == ["the needle"]


@pytest.mark.parametrize("route", ["messages?limit=1000", "messages/search?q=XXX&limit=1000"])
async def test_an_answer_is_bounded_by_bytes(route: str) -> None:
    async with open_world() as world:
        await run(world, *(f"{number}" + "x" * 500_000 for number in range(20)))
        answer = await world.client.get(f"{AT}/{route}")
        assert len(answer.content) < 10 * 1024 * 1024  # a message has its words twice
        found = answer.json()
        messages = found["results"] if isinstance(found, dict) else found
        printed = [message["content"] for message in messages if message["type"] == "agent"]
        assert [text.strip("x") for text in printed] == [str(number) for number in range(20)][-len(printed) :]
        if isinstance(found, dict):
            assert found["complete"] is False


async def test_a_search_says_whether_it_saw_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_world() as world:
        await run(world, "needle", *["hay"] * 400, prompt="a needle")

        async def search(**query: Any) -> tuple[int, bool]:
            found = await world.get(f"{AT}/messages/search", q="needle", **query)
            return found["count"], found["complete"]

        everything = (4, True)  # the three changes of the task besides
        assert await search() == everything
        monkeypatch.setattr(monitoring, "_LOOK_BACK", 100)
        assert await search() == (1, False)
        assert await search(limit=1) == (1, True)
        monkeypatch.setattr(monitoring, "_LOOK_BACK", 10_000)
        monkeypatch.setattr(monitoring, "_PAGE", 1)
        assert await search() == everything
        monkeypatch.setattr(monitoring, "_EXAMINED", 1)
        assert (await search())[1] is False


@pytest.mark.parametrize("route", ["messages?limit=1000", "messages/search?q=xxx", "export/csv", "export/json"])
async def test_history_is_read_in_pages(route: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not all of it at once, however many records are asked for."""
    pages: list[int] = []

    def counting(records: Any, limit: int, size: int | None) -> Any:
        found = last(records, limit, size)
        pages.append(sum(len(record.body) for record in found))
        return found

    monkeypatch.setattr(memory_log, "last", counting)
    async with open_world() as world:
        await run(world, *("x" * 50_000 for _ in range(40)))
        pages.clear()
        ok_response = await world.client.get(f"{AT}/{route}")
        assert ok_response.status_code == 200
        assert ok_response.text.count("x" * 50_000) >= 40
        assert all(size <= PAGE_BYTES for size in pages)


WORDS = st.text(st.sampled_from("aAéÉ\"\\ \n:'tTk1"), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@example([("task", "a"), ("message", "a"), ("task", "a"), ("message", "a")], "A", 3)
@given(
    st.lists(st.tuples(st.sampled_from(["task", "message"]), WORDS), max_size=12),
    WORDS | st.sampled_from(["task", "status", "Task '", "a1", "admin", "manager"]),
    st.integers(1, 5),
)
async def test_a_search_finds_the_last_messages_whose_words_contain_the_text(
    said: list[tuple[str, str]], wanted: str, limit: int
) -> None:
    async with open_world() as world:
        await world.post("/v1/agent/agents", name="a1")
        for kind, text in said:
            if kind == "task":
                await world.post("/v1/agent/tasks", prompt=text, title=text)
            else:
                await world.post("/v1/agent/messages", to="a1", body=text)
        everything = await world.get(f"{AT}/messages", limit=1000)
        matching = [
            message
            for message in everything
            if any(folded(wanted) in folded(message[part]) for part in ("content", "agent_name"))
        ]
        found = await world.get(f"{AT}/messages/search", q=wanted, limit=limit)
        assert found["results"] == matching[-limit:]
        assert (found["query"], found["count"]) == (wanted, len(found["results"]))


def folded(text: str) -> bytes:
    return text.encode().lower()
