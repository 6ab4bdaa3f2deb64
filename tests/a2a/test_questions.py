"""What an agent asks, and how a message answers it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from codetether_adapters.a2a.hitl import HITL
from codetether_core.access import DEFAULT_TENANT, Principal
from codetether_core.approvals import ApprovalState
from codetether_core.errors import Conflict
from codetether_core.ids import ApprovalId
from codetether_core.services import Questions
from tests.a2a.hub import Hub, Run, said

KNOWS = {"A2A-Extensions": f"https://else.test/x, {HITL}"}
OPTIONS = [
    {"id": "once", "label": "Allow once", "allows": True},
    {"id": "never", "label": "Reject", "allows": False},
]
NOW = {"returnImmediately": True}


async def answer(hub: Hub, run: Run, text: str, who: str = "alice", **members: Any) -> Any:
    params = {**said(text, taskId=run.id, **members), "configuration": NOW}
    return await hub.rpc("SendMessage", params, who)


async def chosen(hub: Hub, approval: str) -> tuple[str | None, str | None]:
    kept = await hub.api.services.backend.approvals.get(DEFAULT_TENANT, ApprovalId(approval))
    return kept.choice, kept.text


async def test_a_question_ends_the_wait_and_its_answer_goes_on(hub: Hub) -> None:
    sending = asyncio.create_task(hub.result("SendMessage", said("paint it")))
    run = await hub.claim()
    approval = await run.ask("Which colour?")
    task = (await sending)["task"]
    assert task["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
    assert task["status"]["message"]["parts"] == [{"text": "Which colour?"}]
    assert "metadata" not in task["status"]["message"]
    going_on = asyncio.create_task(hub.result("SendMessage", said("blue", messageId="m2", taskId=task["id"])))
    async with hub.stream("SubscribeToTask", {"id": run.id}) as stream:
        while b"TASK_STATE_WORKING" not in stream.raw:
            await stream.event()
    assert await chosen(hub, approval) == (None, "blue")
    await run.end(result="done")
    task = (await going_on)["task"]
    assert [(each["role"], each["parts"][0]["text"]) for each in task["history"]] == [
        ("ROLE_USER", "paint it"),
        ("ROLE_AGENT", "Which colour?"),
        ("ROLE_USER", "blue"),
    ]
    assert task["history"][2]["messageId"] == "m2"
    assert {each["contextId"] for each in task["history"]} == {task["contextId"]}


async def test_history_is_as_long_as_is_asked_for(hub: Hub) -> None:
    run = await hub.begin("one")
    await run.ask("two")
    await answer(hub, run, "three")
    for length, words in ((None, ["one", "two", "three"]), (2, ["two", "three"]), (9, ["one", "two", "three"])):
        task = await hub.result("GetTask", {"id": run.id, "historyLength": length})
        assert [each["parts"][0]["text"] for each in task["history"]] == words
    assert "history" not in await hub.result("GetTask", {"id": run.id, "historyLength": 0})
    assert len((await hub.result("tasks/get", {"id": run.id, "historyLength": 0}))["history"]) == 3


@pytest.mark.parametrize(
    ("words", "choice"),
    [
        ("once", "once"),
        (" Allow once\n", "once"),
        ("REJECT", "never"),
        ("approve", "once"),
        ("yes", "once"),
        ("no", "never"),
    ],
)
async def test_leave_is_given_in_plain_words(hub: Hub, words: str, choice: str) -> None:
    run = await hub.begin()
    approval = await run.ask("May I?", kind="permission", options=OPTIONS)
    task = await hub.result("GetTask", {"id": run.id})
    assert task["status"]["message"]["parts"][0]["text"] == "May I?\n\n- once: Allow once\n- never: Reject"
    assert (await answer(hub, run, words))["result"]["task"]["status"]["state"] == "TASK_STATE_WORKING"
    assert (await chosen(hub, approval))[0] == choice


async def test_what_is_not_offered_changes_nothing(hub: Hub) -> None:
    run = await hub.begin()
    for kind in ("permission", "question"):
        await run.ask("?", kind=kind, options=OPTIONS)
        refused = await answer(hub, run, "perhaps", metadata={})
        assert refused["error"]["code"] == -32602
        assert (await hub.api.shown(run.id))["status"] == "input_required"
        if kind == "permission":
            await answer(hub, run, "once")
    assert (await answer(hub, run, "yes"))["error"]["code"] == -32602, "yes answers a request for leave only"


async def test_of_several_questions_one_is_named(hub: Hub) -> None:
    run = await hub.begin()
    first, second = await run.ask("First?"), await run.ask("Second?")
    refused = await answer(hub, run, "x")
    assert refused["error"]["code"] == -32602
    assert first in refused["error"]["message"] and second in refused["error"]["message"]
    partly = await answer(hub, run, "one", metadata={"approval_id": first})
    assert partly["result"]["task"]["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
    assert (await answer(hub, run, "x", metadata={"approval_id": first}))["error"]["code"] == -32602
    assert (await answer(hub, run, "x", metadata={"approval_id": 5}))["error"]["code"] == -32602
    await answer(hub, run, "two")
    assert [await chosen(hub, each) for each in (first, second)] == [(None, "one"), (None, "two")]


KEY = {"Idempotency-Key": "0123456789abcdef"}


def saying(run: Run, text: str, **members: Any) -> dict[str, Any]:
    return {**said(text, taskId=run.id, **members), "configuration": NOW}


async def answers(hub: Hub, *approvals: str) -> list[str | None]:
    """What was chosen, or else said."""
    return [choice or text for choice, text in [await chosen(hub, each) for each in approvals]]


@pytest.mark.parametrize(("kind", "options", "words"), [("question", [], "blue"), ("permission", OPTIONS, "once")])
async def test_an_answer_that_is_sent_again_with_its_key_answers_nothing_else(
    hub: Hub, kind: str, options: Any, words: str
) -> None:
    """Whether something else is asked meanwhile, or nothing, or the task has ended; and another's key is another."""
    run = await hub.begin()
    first = await run.ask("First?", kind=kind, options=options)
    await hub.result("SendMessage", saying(run, words), **KEY)
    again = await hub.result("SendMessage", saying(run, words), **KEY)
    assert again["task"]["status"]["state"] == "TASK_STATE_WORKING"
    second = await run.ask("Second?", kind=kind, options=options)
    again = await hub.result("SendMessage", saying(run, words), **KEY)
    assert again["task"]["status"]["message"]["parts"][0]["text"].startswith("Second?")
    assert await answers(hub, first, second) == [words, None]
    other = await hub.error("SendMessage", saying(run, words, messageId="m2"), **KEY)
    assert (other["code"], other["data"][1]["fieldViolations"][0]["field"]) == (-32602, "Idempotency-Key")
    await hub.result("SendMessage", saying(run, words), "deployed", **KEY)
    assert await answers(hub, second) == [words]
    await run.end(result="r")
    again = await hub.result("SendMessage", saying(run, words), **KEY)
    assert again["task"]["status"]["state"] == "TASK_STATE_COMPLETED"
    assert (await hub.error("SendMessage", saying(run, words)))["code"] == -32004


async def test_of_answers_that_are_sent_twice_at_once_both_arrive_and_one_counts(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await hub.begin()
    asked = await run.ask()
    find, both = Questions.find, asyncio.Barrier(2)

    async def found(self: Questions, *args: Any, **members: Any) -> Any:
        """Each knows what is open, and that nothing is answered, before either answers."""
        known = await find(self, *args, **members)
        if members.get("state") is ApprovalState.ANSWERED:
            await both.wait()
        return known

    monkeypatch.setattr(Questions, "find", found)
    twins = [hub.result("SendMessage", saying(run, "blue"), **KEY) for _ in range(2)]
    assert [each["task"]["id"] for each in await asyncio.gather(*twins)] == [run.id, run.id]
    assert await answers(hub, asked) == ["blue"]


async def test_what_a_message_decides_by_name_is_decided_once_it_is_sent_again(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where we were cut short between two of its decisions; the plain words that go with them answer nothing."""
    run = await hub.begin()
    first, second, third = [await run.ask(prompt, kind="permission", options=OPTIONS) for prompt in "123"]
    decided = [{"id": id, "approved": True} for id in (first, second)]
    metadata = {HITL: {"type": "tool_approval_response", "approvals": decided}}
    params = saying(run, "yes", metadata=metadata)
    answer = Questions.answer

    async def cut(self: Questions, principal: Principal, id: ApprovalId, **members: Any) -> Any:
        if id == second:
            raise Conflict("cut")
        return await answer(self, principal, id, **members)

    with monkeypatch.context() as patch:
        patch.setattr(Questions, "answer", cut)
        assert (await hub.error("SendMessage", params, **KEY))["code"] == -32004
    assert await answers(hub, first, second, third) == ["once", None, None]
    for _ in range(2):
        await hub.result("SendMessage", params, **KEY)
        assert await answers(hub, first, second, third) == ["once", "once", None]


async def test_signing_in_is_asked_for_as_such(hub: Hub) -> None:
    run = await hub.begin()
    async with hub.stream("SubscribeToTask", {"id": run.id}, **KNOWS) as stream:
        await stream.event()
        await run.ask("Sign in at https://a.test", kind="auth")
        assert '"TASK_STATE_AUTH_REQUIRED"' in (await stream.event()).data
    task = await hub.result("GetTask", {"id": run.id}, **KNOWS)
    assert task["status"]["state"] == "TASK_STATE_AUTH_REQUIRED"
    assert "metadata" not in task["status"]["message"]


async def test_a_program_is_asked_by_the_extension_and_answers_by_it(hub: Hub) -> None:
    run = await hub.begin()
    details = {"tool": "bash", "call_id": "c1", "input": {"command": "make"}}
    approval = await run.ask("May I run make?", kind="permission", options=OPTIONS, details=details)
    task = await hub.result("GetTask", {"id": run.id}, **KNOWS)
    message = task["status"]["message"]
    assert message["extensions"] == [HITL]
    assert message["metadata"][HITL] == {
        "type": "tool_approval_request",
        "hint": "May I run make?",
        "tools": [{"id": approval, "call_id": "c1", "name": "bash", "args": {"command": "make"}}],
    }
    decided = {"type": "tool_approval_response", "approvals": [{"id": approval, "approved": False, "args": {"x": 1}}]}
    await answer(hub, run, "whatever", extensions=[HITL], metadata={HITL: decided})
    assert await chosen(hub, approval) == ("never", "")
    await run.end()


async def test_choices_and_words_are_asked_for_by_the_extension_too(hub: Hub) -> None:
    run = await hub.begin()
    options = [{"id": "r", "label": "Red"}, {"id": "b", "label": "Blue"}]
    approval = await run.ask("Which?", options=options)
    async with hub.stream("SubscribeToTask", {"id": run.id}, **KNOWS) as stream:
        assert f'"ask_user_request","id":"{approval}"' in (await stream.event()).data
    decided = {"type": "ask_user_response", "id": approval, "answers": [{"answer": ["Blue"]}]}
    await answer(hub, run, "-", metadata={HITL: decided})
    assert await chosen(hub, approval) == ("b", None)


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        ({"approved": True}, "approved"),
        ({"approved": False}, "rejected"),
        ({"approved": False, "rejection_reason": "too dear"}, "rejected: too dear"),
    ],
)
async def test_where_nothing_is_offered_a_decision_is_told_in_words(
    hub: Hub, decision: dict[str, Any], words: str
) -> None:
    run = await hub.begin()
    approval = await run.ask("May I?", kind="permission")
    decided = {"type": "tool_approval_response", "approvals": [{"id": approval, **decision}]}
    await answer(hub, run, "-", metadata={HITL: decided})
    assert await chosen(hub, approval) == (None, words)


@pytest.mark.parametrize(
    "told",
    [
        5,
        {},
        {"type": "hat"},
        {"type": "tool_approval_response"},
        {"type": "tool_approval_response", "approvals": []},
        {"type": "tool_approval_response", "approvals": [{"id": "apr_other", "approved": True}]},
        {"type": "tool_approval_response", "approvals": [{"id": "apr_other", "approved": "yes"}]},
        {"type": "tool_approval_response", "approvals": [{"id": "a", "approved": True}] * 2},
        {"type": "ask_user_response", "id": "apr_other", "answers": [{"answer": ["x"]}]},
        {"type": "ask_user_response", "id": "", "answers": []},
    ],
)
async def test_a_decision_that_decides_nothing_is_refused(hub: Hub, told: Any) -> None:
    run = await hub.begin()
    await run.ask("?")
    assert (await answer(hub, run, "-", metadata={HITL: told}))["error"]["code"] == -32602
    assert (await hub.api.shown(run.id))["status"] == "input_required"


async def test_an_agent_answers_what_it_is_asked_and_gives_nobody_leave(hub: Hub) -> None:
    """Leave to do something is given by people who may; an agent that gave the task may say what it wants."""
    run = await hub.begin(who="ann")
    await run.ask("Which?")
    assert "result" in await answer(hub, run, "this", "ann")
    await run.ask("May I?", kind="permission", options=OPTIONS)
    body = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": said("yes", taskId=run.id)}
    assert (await hub.post(body, "ann")).status_code == 403
    assert (await hub.api.shown(run.id))["status"] == "input_required"
    assert "result" in await answer(hub, run, "yes")


async def test_a_message_to_a_task_that_asks_nothing_is_refused(hub: Hub) -> None:
    run = await hub.begin(contextId="c")
    working = (await answer(hub, run, "hurry"))["error"]
    assert working["code"] == -32004
    assert "without taskId" in working["message"]
    await run.ask("?")
    assert (await answer(hub, run, "x", contextId="other"))["error"]["code"] == -32602
    assert "result" in await answer(hub, run, "x", contextId="c")
    await run.end()
    ended = (await answer(hub, run, "again"))["error"]
    assert (ended["code"], ended["data"][0]["metadata"]) == (-32004, {"taskId": run.id, "state": "completed"})
    assert (await hub.error("SendMessage", said(taskId="tsk_none")))["code"] == -32001
