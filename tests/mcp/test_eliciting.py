"""A wait asks the client's user what the task asks: the library's own client at our own catalogue."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import cycle
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from attrs import define, field
from mcp import types
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server import request_state

from codetether_adapters import memory
from codetether_adapters.mcp.caller import Caller, Exchange
from codetether_adapters.mcp.catalogue import Catalogue
from codetether_adapters.mcp.hub import Hub as Parts
from codetether_adapters.mcp.offer import Offer
from codetether_core.access import DEFAULT_TENANT, Principal
from codetether_core.approvals import Approval, ApprovalState
from codetether_core.events import Topic
from codetether_core.ids import CodebaseId, TaskId
from codetether_core.services import Questions, RolePolicy
from tests.http.resources.harness import TOKENS, Api, open_api
from tests.mcp.hub import HANDSHAKE, MODERN, RPC, Hub, answer_in, open_hub

COLOURS = [{"id": "r", "label": "Red"}, {"id": "b", "label": "Blue"}]
LEAVE = [{"id": "yes", "label": "Yes", "kind": "allow_once"}, {"id": "no", "label": "No", "kind": "reject_once"}]


@define
class User:
    """Fills in what is asked with what the test says."""

    answer: Callable[[types.ElicitRequestFormParams], Awaitable[types.ElicitResult]]
    asked: list[str] = field(factory=list)

    async def __call__(self, context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        assert isinstance(params, types.ElicitRequestFormParams)
        self.asked.append(params.message)
        return await self.answer(params)


def saying(action: Any, **content: str) -> User:
    async def answer(params: types.ElicitRequestFormParams) -> types.ElicitResult:
        return types.ElicitResult(action=action, content=dict(content) or None)

    return User(answer)


@define(eq=False)
class Balancer(httpx2.AsyncBaseTransport):
    """Every request goes to the next replica; which one answered what is noted."""

    replicas: Iterator[tuple[int, httpx2.ASGITransport]]
    answered: list[tuple[int, bytes]] = field(factory=list)

    @classmethod
    def over(cls, *apis: Api) -> Balancer:
        return cls(cycle(enumerate(httpx2.ASGITransport(api.app) for api in apis)))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        number, replica = next(self.replicas)
        self.answered.append((number, await request.aread()))
        return await replica.handle_async_request(request)


@asynccontextmanager
async def client_of(
    transport: httpx2.AsyncBaseTransport, user: User | None, who: str = "alice", mode: str = "auto"
) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {TOKENS[who][0]}"}
    async with (
        httpx2.AsyncClient(transport=transport, headers=headers) as http,
        Client(
            streamable_http_client(f"http://server{RPC}", http_client=http), mode=mode, elicitation_callback=user
        ) as client,
    ):
        yield client


async def waited(hub: Hub, id: str, user: User | None, who: str = "alice", mode: str = "auto", seconds: int = 0) -> Any:
    """What the wait of a host tells in the end."""
    async with client_of(Balancer.over(hub.api), user, who, mode) as client:
        told = await client.call_tool("wait_task", {"task_id": id, "timeout_seconds": seconds})
    assert not told.is_error, told
    return told.structured_content


async def begun(hub: Hub, who: str = "alice") -> str:
    return str((await hub.tool("create_task", who, codebase="global", prompt="p"))["task_id"])


async def until(hub: Hub, id: str, status: str) -> None:
    """Return once the task stands so."""
    with hub.api.services.backend.notifier.listen(Topic.task(DEFAULT_TENANT, CodebaseId("global"), TaskId(id))) as bell:
        while (await hub.api.shown(id))["status"] != status:
            await bell.wait()


async def questions(hub: Hub, id: str, state: ApprovalState | None = None) -> list[Approval]:
    """What was asked, oldest first."""
    found = await hub.api.services.questions.find(Principal(name="alice"), task=TaskId(id), state=state)
    return [*found][::-1]


async def test_the_user_is_asked_whatever_comes_up_until_the_task_has_ended() -> None:
    async def answer(params: types.ElicitRequestFormParams) -> types.ElicitResult:
        (name,) = params.requested_schema["properties"]
        return types.ElicitResult(action="accept", content={name: "b" if name == "choice" else "Because."})

    async with open_hub() as hub:
        id, user = await begun(hub), User(answer)
        run = await hub.claim()

        async def work() -> None:
            for question in ({"prompt": "Which?", "options": COLOURS}, {"prompt": "Why?"}):
                await run.ask(**question)
                await until(hub, id, "running")
            await run.end(result="Painted.")

        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            group.create_task(work())
            told = await waited(hub, id, user, seconds=50)
        assert (told["task"]["status"], told["task"]["result"], told["unanswered"]) == ("completed", "Painted.", [])
        assert user.asked == ["Which?", "Why?"]
        answers = [(each.choice, each.text, each.answered_by) for each in await questions(hub, id)]
        assert answers == [("b", None, "alice"), (None, "Because.", "alice")]


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_what_the_user_leaves_open_is_open_and_the_wait_says_so(action: str) -> None:
    async with open_hub() as hub:
        id, user = await begun(hub), saying(action)
        run = await hub.claim()
        question = await run.ask("May I?", kind="permission", options=LEAVE)
        told = await waited(hub, id, user, seconds=50)
        assert user.asked == ["May I?"]
        assert (told["task"]["status"], told["timed_out"], told["unanswered"]) == ("input_required", False, [question])
        assert [each["approval_id"] for each in told["task"]["questions"]] == [question]
        (approval,) = await questions(hub, id)
        assert approval.state is ApprovalState.OPEN
        await hub.tool("answer_task", task_id=id, answer="yes")


async def test_of_two_questions_one_is_answered_and_the_other_left_open() -> None:
    async def answer(params: types.ElicitRequestFormParams) -> types.ElicitResult:
        if params.message == "Why?":
            return types.ElicitResult(action="cancel")
        return types.ElicitResult(action="accept", content={"choice": "r"})

    async with open_hub() as hub:
        id, user = await begun(hub), User(answer)
        run = await hub.claim()
        await run.ask("Which?", options=COLOURS)
        other = await run.ask("Why?")
        told = await waited(hub, id, user, seconds=50)
        assert sorted(user.asked) == ["Which?", "Why?"]
        assert (told["task"]["status"], told["unanswered"]) == ("input_required", [other])
        assert [each.choice for each in await questions(hub, id)] == ["r", None]


async def test_an_answer_that_was_given_elsewhere_stands() -> None:
    async with open_hub() as hub:
        id = await begun(hub)
        run = await hub.claim()
        question = await run.ask("Which?", options=COLOURS)

        async def answer(params: types.ElicitRequestFormParams) -> types.ElicitResult:
            await hub.tool("answer_task", "olga", task_id=id, answer="r")
            return types.ElicitResult(action="accept", content={"choice": "b"})

        told = await waited(hub, id, User(answer))
        assert (told["task"]["status"], told["unanswered"]) == ("running", [])
        (approval,) = await questions(hub, id)
        assert (approval.id, approval.choice, approval.answered_by) == (question, "r", "olga")


@pytest.mark.parametrize(
    ("tool", "more", "choice", "status"),
    [("answer_task", {"answer": "r"}, "r", "running"), ("cancel_task", {}, None, "cancelled")],
)
async def test_whoever_comes_a_moment_before_the_answer_is_first(
    monkeypatch: pytest.MonkeyPatch, tool: str, more: Any, choice: str | None, status: str
) -> None:
    find = Questions.find

    async with open_hub() as hub:
        id = await begun(hub)
        run = await hub.claim()
        await run.ask("Which?", options=COLOURS)

        async def found_too_late(self: Questions, *arguments: Any, **named: Any) -> Any:
            found = await find(self, *arguments, **named)
            monkeypatch.undo()
            await hub.tool(tool, "olga", task_id=id, **more)
            return found

        async def answer(params: types.ElicitRequestFormParams) -> types.ElicitResult:
            monkeypatch.setattr(Questions, "find", found_too_late)
            return types.ElicitResult(action="accept", content={"choice": "b"})

        told = await waited(hub, id, User(answer))
        assert (told["task"]["status"], told["unanswered"]) == (status, [])
        assert [each.choice for each in await questions(hub, id)] == [choice]


async def test_a_client_is_not_asked_more_often_than_it_bears() -> None:
    async with open_hub() as hub:
        id, user = await begun(hub), saying("accept", answer="Because.")
        run = await hub.claim()

        async def work() -> None:
            for at in range(10):
                await run.ask(f"Why {at}?")
                await until(hub, id, "running")
            await run.ask("And why that?")

        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            group.create_task(work())
            told = await waited(hub, id, user, seconds=50)
        assert user.asked == [f"Why {at}?" for at in range(10)]
        assert [each["prompt"] for each in told["task"]["questions"]] == ["And why that?"]
        assert told["unanswered"] == []


@pytest.mark.parametrize(
    ("who", "mode", "able"), [("alice", "legacy", True), ("alice", "auto", False), ("ann", "auto", True)]
)
async def test_who_cannot_be_asked_or_may_not_answer_is_told_what_is_asked(who: str, mode: str, able: bool) -> None:
    async with open_hub() as hub:
        id, user = await begun(hub, who), saying("accept", choice="b")
        run = await hub.claim()
        question = await run.ask("Which?", options=COLOURS)
        told = await waited(hub, id, user if able else None, who, mode, seconds=50)
        assert (user.asked, told["task"]["status"], told["unanswered"]) == ([], "input_required", [])
        assert [each["approval_id"] for each in told["task"]["questions"]] == [question]


@pytest.mark.parametrize(
    ("elicitation", "era", "asks"),
    [({}, MODERN, True), ({"form": {}, "url": {}}, MODERN, True), ({"url": {}}, MODERN, False), ({}, HANDSHAKE, False)],
)
@pytest.mark.parametrize("offer", [Offer(), Offer(deny=frozenset({"answer_task"})), Offer(read_only=True)])
async def test_forms_are_for_clients_that_have_them_where_answers_are_taken(
    elicitation: Any, era: str, asks: bool, offer: Offer
) -> None:
    async with open_hub() as hub:
        id = await begun(hub)
        run = await hub.claim()
        question = await run.ask("Which?", options=COLOURS)
        catalogue = Catalogue(hub=Parts(services=hub.api.services, authorizer=RolePolicy()), offer=offer)
        caller, able = Caller(Principal(name="alice", roles=frozenset({"editor"}))), {"elicitation": elicitation}
        arguments = {"task_id": id, "timeout_seconds": 50}
        told = await catalogue.call(Exchange(caller=caller, protocol=era, capabilities=able), "wait_task", arguments)
        assert (told["resultType"] == "input_required") == (asks and offer == Offer())
        answers = {question: {"action": "accept", "content": {"choice": "b"}}}
        again = Exchange(caller=caller, protocol=era, capabilities=able, answers=answers, state=question)
        if told["resultType"] == "complete":
            assert (await catalogue.call(again, "wait_task", arguments))["resultType"] == "complete"
        assert [each.state for each in await questions(hub, id)] == [ApprovalState.OPEN]


async def call(hub: Hub, id: str, who: str = "alice", **more: Any) -> Any:
    """The answer to a wait in the protocol's own words, whoever lets it be one."""
    params = {"name": "wait_task", "arguments": {"task_id": id, "timeout_seconds": 0}, **more}
    return await hub.post("tools/call", params, who, capabilities={"elicitation": {}})


async def test_only_answers_to_what_was_put_to_this_caller_for_this_task_are_taken() -> None:
    async with open_hub() as hub:
        id, other = await begun(hub), await begun(hub)
        run = await hub.claim()
        if run.id != id:
            id, other = other, id
        question = await run.ask("Which?", options=COLOURS)
        blue = {question: {"action": "accept", "content": {"choice": "b"}}}
        first = answer_in(await call(hub, id))["result"]
        assert [*first["inputRequests"]] == [question]
        assert question not in first["requestState"]
        unasked = answer_in(await call(hub, id, inputResponses=blue))["result"]
        assert unasked["resultType"] == "input_required"
        state = first["requestState"]
        for id_or_other, who, kept in ((other, "alice", state), (id, "olga", state), (id, "alice", state[:-2])):
            refused = answer_in(await call(hub, id_or_other, who, inputResponses=blue, requestState=kept))
            assert refused["error"]["code"] == -32602
        assert (await call(hub, id, "eve", inputResponses=blue, requestState=state)).status_code == 403
        wrong = {question: {"action": "accept", "content": {"choice": "green"}}}
        refused = answer_in(await call(hub, id, inputResponses=wrong, requestState=state))
        assert (refused["error"]["code"], refused["error"]["data"]) == (-32602, {"inputRequest": question})
        assert len(await questions(hub, id, ApprovalState.OPEN)) == 1
        for _ in range(2):
            done = answer_in(await call(hub, id, inputResponses=blue, requestState=state))["result"]
            assert done["structuredContent"]["task"]["status"] == "running"
        assert [each.choice for each in await questions(hub, id)] == ["b"]


async def test_people_may_think_for_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_hub() as hub:
        id = await begun(hub)
        run = await hub.claim()
        question = await run.ask("Which?", options=COLOURS)
        state = answer_in(await call(hub, id))["result"]["requestState"]
        blue = {question: {"action": "accept", "content": {"choice": "b"}}}
        now = time.time()
        monkeypatch.setattr(request_state, "time", SimpleNamespace(time=lambda: now + 3700))
        assert answer_in(await call(hub, id, inputResponses=blue, requestState=state))["error"]["code"] == -32602
        monkeypatch.setattr(request_state, "time", SimpleNamespace(time=lambda: now + 3500))
        assert "structuredContent" in answer_in(await call(hub, id, inputResponses=blue, requestState=state))["result"]
        assert [each.choice for each in await questions(hub, id)] == ["b"]


async def test_what_one_replica_asked_another_takes_the_answer_to() -> None:
    async with memory.open_backend("memory://") as backend, open_api(backend) as one, open_api(backend) as other:
        hub, balancer, user = Hub(one), Balancer.over(one, other), saying("accept", choice="b")
        id = await begun(hub)
        run = await hub.claim()
        await run.ask("Which?", options=COLOURS)
        async with client_of(balancer, user) as client:
            told = await client.call_tool("wait_task", {"task_id": id, "timeout_seconds": 0})
        assert told.structured_content is not None
        assert told.structured_content["task"]["status"] == "running"
        assert [each.choice for each in await questions(hub, id)] == ["b"]
        asked, answered = (number for number, body in balancer.answered if b"wait_task" in body)
        assert asked != answered
