"""Each tool does what it says, in both eras of the protocol."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from codetether_adapters.mcp.tools import TOOLS
from tests.mcp.hub import Hub

CONTRACTS = Path(__file__).parents[2] / "contracts"


async def test_a_task_from_beginning_to_end(hub: Hub) -> None:
    codebase = await hub.api.codebase(worker="w1")
    created = await hub.tool("create_task", codebase="demo", prompt="Mend the build", agent_type="build")
    id = created["task_id"]
    assert (created["status"], created["codebase_id"]) == ("pending", codebase)
    run = await hub.claim()
    await run.say("looking", "mending\n")
    assert (await hub.tool("get_task", task_id=id))["status"] == "running"
    await run.end(result="It is mended.")
    waited = await hub.tool("wait_task", task_id=id)
    assert (waited["timed_out"], waited["task"]["status"], waited["task"]["result"]) == (
        False,
        "completed",
        "It is mended.",
    )
    output = await hub.tool("get_task_output", task_id=id)
    assert (output["text"], output["done"], output["next_cursor"]) == ("lookingmending\n", True, None)
    assert [each["task_id"] for each in (await hub.tool("list_tasks", status=["completed"]))["items"]] == [id]
    assert (await hub.tool("cancel_task", task_id=id))["status"] == "completed"


async def test_a_wait_ends_when_its_time_is_over_and_the_task_goes_on(hub: Hub) -> None:
    id = (await hub.tool("create_task", codebase="global", prompt="p"))["task_id"]
    waited = await hub.tool("wait_task", task_id=id, timeout_seconds=0)
    assert (waited["timed_out"], waited["task"]["status"]) == (True, "pending")


async def test_a_wait_ends_when_the_task_asks(hub: Hub) -> None:
    id = (await hub.tool("create_task", codebase="global", prompt="p"))["task_id"]
    run = await hub.claim()
    waiting = asyncio.ensure_future(hub.tool("wait_task", task_id=id, timeout_seconds=50))
    await run.ask("Which colour?", options=[{"id": "r", "label": "Red"}, {"id": "b", "label": "Blue"}])
    waited = await waiting
    (question,) = waited["task"]["questions"]
    assert (question["prompt"], [each["id"] for each in question["choices"]]) == ("Which colour?", ["r", "b"])
    assert "must be one of: r (Red), b (Blue)" in await hub.failed("answer_task", task_id=id, answer="green")
    answered = await hub.tool("answer_task", task_id=id, answer="blue")
    assert (answered["choice"], answered["task"]["status"]) == ("b", "running")
    assert "asks nothing" in await hub.failed("answer_task", task_id=id, answer="blue")


async def test_leave_is_not_given_by_who_may_only_give_tasks(hub: Hub) -> None:
    answer = await hub.post("tools/call", {"name": "answer_task", "arguments": {}}, "ann")
    assert answer.status_code == 403
    assert 'scope="approvals:write"' in answer.headers["www-authenticate"]


async def test_a_running_task_is_cancelled(hub: Hub) -> None:
    id = (await hub.tool("create_task", codebase="global", prompt="p"))["task_id"]
    await hub.claim()
    assert await hub.tool("cancel_task", task_id=id) == {"task_id": id, "status": "cancelled", "stopped": False}
    assert (await hub.tool("cancel_task", task_id=id))["status"] == "cancelled"


async def test_the_same_key_meets_the_same_task(hub: Hub) -> None:
    asked = {"codebase": "global", "prompt": "p", "idempotency_key": "k"}
    first = await hub.tool("create_task", **asked)
    assert await hub.tool("create_task", **asked) == first
    assert "use a new idempotency_key" in await hub.failed("create_task", **asked | {"prompt": "q"})


async def test_codebases_are_registered_listed_by_pages_and_found_by_name(hub: Hub) -> None:
    made = [await hub.tool("register_codebase", name=f"c{at}", path=f"/srv/{at}") for at in range(5)]
    assert await hub.tool("register_codebase", name="c0", path="/srv/0") == made[0] | {"created": False}
    found, cursor = [], None
    while True:
        page = await hub.tool("list_codebases", limit=2, cursor=cursor)
        found += [each["codebase_id"] for each in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert found == [each["codebase_id"] for each in made]
    assert [each["name"] for each in (await hub.tool("list_codebases", query="SRV/3"))["items"]] == ["c3"]
    assert (await hub.tool("get_codebase", codebase="c4"))["path"] == "/srv/4"
    await hub.tool("register_codebase", name="c4", path="/other")
    assert "is the name of 2 codebases" in await hub.failed("get_codebase", codebase="c4")
    assert "call list_codebases" in await hub.failed("create_task", codebase="nowhere", prompt="p")


async def test_tasks_are_listed_by_pages_the_last_changed_first(hub: Hub) -> None:
    made = [(await hub.tool("create_task", codebase="global", prompt=f"p{at}"))["task_id"] for at in range(5)]
    found, cursor = [], None
    while True:
        page = await hub.tool("list_tasks", limit=2, cursor=cursor)
        found += [each["task_id"] for each in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert found == made[::-1]


async def test_output_is_read_in_pieces_and_from_its_end(hub: Hub) -> None:
    id = (await hub.tool("create_task", codebase="global", prompt="p"))["task_id"]
    run = await hub.claim()
    await run.say(*(f"line {at}\n" for at in range(50)))
    whole = "".join(f"line {at}\n" for at in range(50))
    text, cursor = "", None
    while True:
        page = await hub.tool("get_task_output", task_id=id, max_chars=7, cursor=cursor)
        assert len(page["text"]) <= 7
        text, cursor = text + page["text"], page["next_cursor"]
        if not page["truncated"]:
            break
    assert text == whole
    await run.say("last\n")
    assert (await hub.tool("get_task_output", task_id=id, cursor=cursor))["text"] == "last\n"
    tail = await hub.tool("get_task_output", task_id=id, tail=True, max_chars=12)
    assert (tail["text"], tail["truncated"]) == ("line 49\nlast\n"[-12:], True)


async def test_sessions_are_read_and_gone_on_with(hub: Hub) -> None:
    codebase = await hub.api.codebase()
    messages = [
        {"id": f"m{at}", "role": "user" if at % 2 else "assistant", "parts": [{"type": "text", "text": f"t{at}"}]}
        for at in range(5)
    ]
    path = f"/v1/agent/codebases/{codebase}/sessions/s1/ingest"
    await hub.api.bot.ok("POST", path, {"messages": messages, "title": "Talk"})
    (row,) = (await hub.tool("list_sessions", codebase="demo"))["items"]
    assert row["session_id"] == "s1"
    page = await hub.tool("get_session_messages", session_id="s1", limit=3)
    earlier = await hub.tool("get_session_messages", session_id="s1", limit=3, cursor=page["next_cursor"])
    assert [each["text"] for each in (*earlier["items"], *page["items"])] == [f"t{at}" for at in range(5)]
    assert earlier["next_cursor"] is None
    users = await hub.tool("get_session_messages", session_id="s1", roles=["user"])
    assert [each["text"] for each in users["items"]] == ["t1", "t3"]
    more = {"title": "On", "priority": 3}
    task = await hub.tool("create_task", codebase="demo", prompt="go on", session_id="s1", **more)
    shown = await hub.api.shown(task["task_id"])
    assert shown["metadata"]["resume_session_id"] == "s1"
    assert (shown["title"], shown["priority"]) == ("On", 3)


async def test_agents_are_listed_and_written_to(hub: Hub) -> None:
    await hub.api.ann.ok("POST", "/v1/agent/agents", {"name": "reviewer:one", "description": "Reviews."})
    assert [each["name"] for each in (await hub.tool("list_agents", skill="reviewer"))["items"]] == ["reviewer:one"]
    sent = await hub.tool("send_message", agent="reviewer", text="Look at this", context_id="c")
    (got,) = (await hub.api.ann.ok("GET", "/v1/agent/messages?agent=reviewer:one"))["messages"]
    assert (got["id"], got["body"], got["conversation_id"]) == (sent["message_id"], "Look at this", "c")
    assert "call list_agents" in await hub.failed("send_message", agent="nobody", text="t")


async def test_an_agent_sees_its_own_tasks_alone(hub: Hub) -> None:
    theirs = (await hub.tool("create_task", "ann", codebase="global", prompt="p"))["task_id"]
    for who, sees in (("ann", True), ("ben", False), ("alice", True)):
        listed = {each["task_id"] for each in (await hub.tool("list_tasks", who))["items"]}
        assert (theirs in listed) == sees
        resources = await hub.ask("resources/list", who)
        assert (theirs in str(resources)) == sees
    for tool in ("get_task", "cancel_task", "wait_task", "get_task_output"):
        unknown = await hub.failed(tool, "ben", task_id="tsk_unknown")
        assert (await hub.failed(tool, "ben", task_id=theirs)).replace(theirs, "tsk_unknown") == unknown
    uri = f"ct://tasks/{theirs}"
    refused, missing = (
        await hub.error("resources/read", "ben", uri=uri),
        await hub.error("resources/read", "ben", uri="ct://tasks/x"),
    )
    assert {**refused, "data": None} == {**missing, "data": None}


async def test_a_change_is_the_callers_in_the_trail(hub: Hub) -> None:
    id = (await hub.tool("create_task", codebase="global", prompt="p"))["task_id"]
    assert (await hub.api.shown(id))["created_by"] == "alice"


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_what_is_shown_of_a_tool_is_complete(tool: object) -> None:
    shown = next(each for each in TOOLS if each is tool).shown()
    assert len(shown["name"]) <= 32
    assert shown["name"].replace("_", "").isalpha()
    assert shown["name"].islower()
    assert 0 < len(shown["description"]) < 400
    assert {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"} < shown["annotations"].keys()
    for schema in (shown["inputSchema"], shown["outputSchema"]):
        Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
    assert all("description" in each for each in shown["inputSchema"]["properties"].values())
    assert shown["inputSchema"]["additionalProperties"] is False


async def test_what_is_listed_is_what_is_promised(hub: Hub) -> None:
    promised = json.loads((CONTRACTS / "mcp/tools.json").read_text(encoding="utf-8"))
    assert (await hub.ask("tools/list"))["tools"] == promised


async def test_a_list_has_what_the_caller_may_use(hub: Hub) -> None:
    for who, beyond in (("alice", set()), ("eve", {"create_task", "answer_task", "send_message"})):
        names = {tool["name"] for tool in (await hub.ask("tools/list", who))["tools"]}
        assert names == {tool.name for tool in TOOLS if tool.name in names}
        assert not names & beyond
        assert ("create_task" in names) == (who == "alice")
