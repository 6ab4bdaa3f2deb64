"""Our tasks as the tasks extension has them: under their own ids, with questions as forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from codetether_adapters.mcp.task_words import EXTENSION
from codetether_core.access import Principal
from codetether_core.approvals import Approval
from codetether_core.ids import TaskId
from tests.mcp.hub import Hub, answer_in, open_hub

ABLE: Mapping[str, Any] = {"extensions": {EXTENSION: {}}, "elicitation": {}}


async def ask(hub: Hub, method: str, params: Any, who: str = "alice", **more: Any) -> Any:
    """The answer to a client that knows the extension."""
    return answer_in(await hub.post(method, params, who, **{"capabilities": ABLE, **more}))


async def result(hub: Hub, method: str, **params: Any) -> Any:
    answer = await ask(hub, method, params)
    assert "result" in answer, answer
    return answer["result"]


async def begun(hub: Hub, who: str = "alice") -> str:
    return str((await hub.tool("create_task", who, codebase="global", prompt="p"))["task_id"])


async def asked(hub: Hub, task: str) -> Sequence[Approval]:
    """What was asked, as it is kept."""
    return await hub.api.services.questions.find(Principal(name="alice"), task=TaskId(task))


async def wait(hub: Hub, id: str) -> Any:
    return await result(hub, "tools/call", name="wait_task", arguments={"task_id": id})


async def test_a_wait_is_a_task_whose_result_is_what_the_wait_would_have_answered() -> None:
    async with open_hub() as hub:
        id = await begun(hub)
        handle = await wait(hub, id)
        told = {name: handle[name] for name in ("resultType", "taskId", "status", "ttlMs", "pollIntervalMs")}
        assert told == {"resultType": "task", "taskId": id, "status": "working", "ttlMs": None, "pollIntervalMs": 2000}
        run = await hub.claim()
        assert (await result(hub, "tasks/get", taskId=id))["statusMessage"] == "running"
        await run.end(result="done")
        shown = await result(hub, "tasks/get", taskId=id)
        assert (shown["resultType"], shown["status"]) == ("complete", "completed")
        assert shown["result"]["structuredContent"] == await hub.tool("wait_task", task_id=id)
        assert (await wait(hub, id))["structuredContent"] == shown["result"]["structuredContent"]


async def test_what_an_agent_asks_is_a_form_and_its_answer_counts_once() -> None:
    async with open_hub() as hub:
        id = await begun(hub)
        run = await hub.claim()
        choices = [{"id": "r", "label": "Red"}, {"id": "b", "label": "Blue"}]
        question = await run.ask("Which colour?", options=choices)
        shown = await result(hub, "tasks/get", taskId=id)
        assert shown["status"] == "input_required"
        (request,) = shown["inputRequests"].values()
        assert [*shown["inputRequests"]] == [question]
        assert request["method"] == "elicitation/create"
        assert request["params"]["requestedSchema"]["properties"]["choice"]["oneOf"] == [
            {"const": "r", "title": "Red"},
            {"const": "b", "title": "Blue"},
        ]
        blind = (await ask(hub, "tasks/get", {"taskId": id}, capabilities={"extensions": {EXTENSION: {}}}))["result"]
        assert ("inputRequests" in blind, blind["status"]) == (False, "working")
        for undecided in ({"other": {"action": "accept"}}, {question: {"action": "cancel"}}):
            assert await result(hub, "tasks/update", taskId=id, inputResponses=undecided)
            assert (await result(hub, "tasks/get", taskId=id))["status"] == "input_required"
        wrong = {question: {"action": "accept", "content": {"choice": "green"}}}
        assert (await ask(hub, "tasks/update", {"taskId": id, "inputResponses": wrong}))["error"]["code"] == -32602
        right = {question: {"action": "accept", "content": {"choice": "b"}}}
        for _ in range(2):
            acknowledged = await result(hub, "tasks/update", taskId=id, inputResponses=right)
            assert acknowledged.keys() - {"_meta"} == {"resultType"}
        assert (await result(hub, "tasks/get", taskId=id))["status"] == "working"
        (approval,) = await asked(hub, id)
        assert (approval.choice, approval.answered_by) == ("b", "alice")


async def test_who_declines_gives_no_leave() -> None:
    async with open_hub() as hub:
        id = await begun(hub)
        run = await hub.claim()
        options = [
            {"id": "yes", "label": "Yes", "kind": "allow_once"},
            {"id": "no", "label": "No", "kind": "reject_once"},
        ]
        question = await run.ask("May I?", kind="permission", options=options)
        await result(hub, "tasks/update", taskId=id, inputResponses={question: {"action": "decline"}})
        (approval,) = await asked(hub, id)
        assert approval.choice == "no"


async def test_a_failed_run_is_a_result_and_a_cancelled_one_has_none() -> None:
    async with open_hub() as hub:
        id = await begun(hub)
        await (await hub.claim()).end("failed", error="It broke")
        shown = await result(hub, "tasks/get", taskId=id)
        assert (shown["status"], shown["result"]["isError"]) == ("completed", True)
        assert "It broke" in shown["result"]["content"][0]["text"]
        other = await begun(hub)
        for _ in range(2):
            acknowledged = await result(hub, "tasks/cancel", taskId=other)
            assert acknowledged.keys() - {"_meta"} == {"resultType"}
        shown = await result(hub, "tasks/get", taskId=other)
        assert (shown["status"], "result" in shown, "error" in shown) == ("cancelled", False, False)


@pytest.mark.parametrize("method", ["tasks/get", "tasks/cancel", "tasks/update"])
async def test_who_may_not_know_of_a_task_is_told_what_is_told_of_none(method: str) -> None:
    async with open_hub() as hub:
        id = await begun(hub)
        more: dict[str, Any] = {"inputResponses": {}} if method == "tasks/update" else {}
        if method == "tasks/update":
            assert (await hub.post(method, {"taskId": id, **more}, "ann", capabilities=ABLE)).status_code == 403
        else:
            missing = (await ask(hub, method, {"taskId": "tsk_none", **more}, "ann"))["error"]
            refused = (await ask(hub, method, {"taskId": id, **more}, "ann"))["error"]
            assert refused["code"] == -32602
            assert {**refused, "data": None} == {**missing, "data": None}
        undeclared = await hub.post(method, {"taskId": id, **more}, capabilities={})
        assert (undeclared.status_code, undeclared.json()["error"]["code"]) == (400, -32021)
        strange = await hub.post(method, {"taskId": id, **more}, capabilities=ABLE, headers={"Mcp-Name": "other"})
        assert (strange.status_code, strange.json()["error"]["code"]) == (400, -32020)
