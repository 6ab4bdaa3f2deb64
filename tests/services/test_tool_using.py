"""What runs may use of servers elsewhere, and what becomes of it when nobody allows it, or waits for it, any more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from codetether_core.access import ToolUse
from codetether_core.approvals import ApprovalState
from codetether_core.errors import (
    CodeTetherError,
    Conflict,
    DeniedByPolicy,
    Invalid,
    NotFound,
    PermissionDenied,
    StaleLease,
    Unauthenticated,
    Unavailable,
)
from codetether_core.ids import TaskId, TenantId
from codetether_core.tasks import TaskState, Word
from codetether_core.tool_servers import ToolAnswer
from tests.http.resources.world import FakeClock
from tests.services.desk import TENANT, USER
from tests.services.tools import ADMIN, Tools, open_tools, server

SECRET = "s3cret-of-the-tenant"


async def held(desk: Tools) -> tuple[TaskId, Word]:
    task, word = await desk.claimed(await desk.submitted())
    return task.id, word


async def names(desk: Tools, id: TaskId, word: Word) -> list[str]:
    offering = await desk.services.tool_using.offered(TENANT, word, id)
    return [f"{server.name}__{tool.name}" for server, tool in offering.tools]


async def use(desk: Tools, id: TaskId, word: Word, name: str, **arguments: Any) -> ToolAnswer:
    return await desk.services.tool_using.use(TENANT, word, id, name, arguments)


async def test_a_run_is_offered_what_the_server_is_registered_for_and_the_policy_does_not_deny() -> None:
    async with open_tools(server(), server("near", tools=("ask_*",))) as desk:
        id, word = await held(desk)
        assert await names(desk, id, word) == ["far__allow_it", "far__ask_it", "near__ask_it"]


async def test_lists_are_asked_for_once_a_minute_and_hurriedly() -> None:
    async with open_tools(server(timeout=timedelta(seconds=300))) as desk:
        id, word = await held(desk)
        for _ in range(2):
            await names(desk, id, word)
        desk.advance(timedelta(seconds=59))
        await names(desk, id, word)
        assert [(name, timeout) for name, timeout, _ in desk.caller.listed] == [("far", timedelta(seconds=10))]
        desk.advance(timedelta(seconds=1))
        await names(desk, id, word)
        assert len(desk.caller.listed) == 2


async def settled() -> None:
    """Whatever can go on without a word from the test has gone on."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_a_server_is_asked_once_for_all_who_wait_for_its_list() -> None:
    """Also if the first of them goes, while it takes its time."""
    async with open_tools(server()) as desk:
        id, word = await held(desk)
        desk.caller.may.clear()
        first, second = (asyncio.ensure_future(names(desk, id, word)) for _ in range(2))
        using = asyncio.ensure_future(use(desk, id, word, "far__allow_it"))
        await settled()
        first.cancel()
        await settled()
        desk.caller.may.set()
        assert await second == ["far__allow_it", "far__ask_it"]
        assert not (await using).failed and first.cancelled()
        assert len(desk.caller.listed) == 1


async def test_another_registration_is_asked_at_once() -> None:
    async with open_tools(far := server()) as desk:
        id, word = await held(desk)
        await names(desk, id, word)
        await desk.servers.replace(far, evolve(far, tools=("allow_*",), version=2))
        assert await names(desk, id, word) == ["far__allow_it"]


async def test_a_server_that_fails_takes_nothing_from_the_others() -> None:
    async with open_tools(server(), server("near")) as desk:
        desk.caller.broken["far"] = Unavailable("far cannot be reached")
        id, word = await held(desk)
        offering = await desk.services.tool_using.offered(TENANT, word, id)
        assert {server.name for server, _ in offering.tools} == {"near"}
        assert offering.problems == {"far": "far cannot be reached"}
        with pytest.raises(Unavailable):
            await use(desk, id, word, "far__allow_it")


async def test_a_use_asks_its_own_server_alone() -> None:
    """Others may take their time, or be somewhere else."""
    async with open_tools(server(), server("near"), server("ne")) as desk:
        desk.caller.broken["far"] = Unavailable("far cannot be reached")
        id, word = await held(desk)
        assert not (await use(desk, id, word, "near__allow_it")).failed
        assert [name for name, *_ in desk.caller.listed] == ["near"]


async def test_what_the_policy_allows_is_used_at_once_and_the_trail_says_so_without_the_arguments() -> None:
    async with open_tools(server()) as desk:
        id, word = await held(desk)
        assert (await use(desk, id, word, "far__allow_it", path="/x")).content[0]["text"] == "done"
        assert desk.caller.used == [("far", "allow_it", {"path": "/x"}, "")]
        ((actor, resource, outcome, said),) = await desk.trail()
        assert (actor, resource, outcome) == ("bot", "tool/far__allow_it", "success")
        assert said == {"task_id": id, "worker_id": "w1", "answered_by": "policy:by_name"}


async def test_what_the_policy_denies_is_not_used() -> None:
    async with open_tools(server()) as desk:
        id, word = await held(desk)
        with pytest.raises(DeniedByPolicy, match="So it is called"):
            await use(desk, id, word, "far__deny_it")
        assert desk.caller.used == []
        ((_, _, outcome, said),) = await desk.trail()
        assert (outcome, said["rule"]) == ("denied", "by_name")


async def test_what_a_human_allows_is_used_once() -> None:
    async with open_tools(server()) as desk:
        id, word = await held(desk)
        using = asyncio.ensure_future(use(desk, id, word, "far__ask_it", path="/x"))
        approval = await desk.until_asked()
        assert (await desk.get(id)).state is TaskState.INPUT_REQUIRED
        assert (approval.tool, approval.details) == (ToolUse(name="far__ask_it"), {"arguments": {"path": "/x"}})
        assert desk.caller.used == []
        await desk.services.questions.answer(USER, approval.id, choice="allow")
        assert not (await using).failed
        assert (await desk.get(id)).state is TaskState.RUNNING
        assert [said["answered_by"] for *_, said in await desk.trail()] == ["alice"]


async def test_what_a_human_denies_is_not_used() -> None:
    async with open_tools(server()) as desk:
        id, word = await held(desk)
        using = asyncio.ensure_future(use(desk, id, word, "far__ask_it"))
        await desk.services.questions.answer(USER, (await desk.until_asked()).id, choice="deny")
        with pytest.raises(PermissionDenied, match="alice does not allow"):
            await using
        assert desk.caller.used == []


@pytest.mark.parametrize(
    "changes",
    [
        None,
        {"url": "https://elsewhere.example/mcp", "version": 2},
        {"tools": ("allow_*",), "version": 2},
        {"sign_in": None, "version": 2},
        {"registered_at": FakeClock().at + timedelta(minutes=1)},
    ],
    ids=["removed", "elsewhere", "narrowed", "signed-out", "registered-again"],
)
async def test_what_a_human_allows_is_not_used_once_the_server_is_another(changes: dict[str, Any] | None) -> None:
    """People allow a use of the server that there is when they are asked."""
    async with open_tools(far := server(secret="key")) as desk:
        await desk.services.secret_keeping.register(ADMIN, "key", SECRET)
        id, word = await held(desk)
        using = asyncio.ensure_future(use(desk, id, word, "far__ask_it"))
        approval = await desk.until_asked()
        await desk.servers.remove(far)
        if changes is not None:
            await desk.servers.add(evolve(far, **changes))
        await desk.services.questions.answer(USER, approval.id, choice="allow")
        with pytest.raises(Conflict, match="far was removed or registered anew"):
            await using
        assert desk.caller.used == []
        ((_, _, outcome, said),) = await desk.trail()
        assert (outcome, said["code"], said["answered_by"]) == ("failure", "conflict", "alice")


async def test_what_nobody_allows_in_time_is_not_used() -> None:
    async with open_tools(server()) as desk:
        id, word = await held(desk)
        using = asyncio.ensure_future(use(desk, id, word, "far__ask_it"))
        await desk.until_asked()
        for _ in range(20):
            desk.advance(timedelta(seconds=30))
            await desk.services.reporting.renew(TENANT, word, id)
        await desk.services.maintenance.sweep()
        with pytest.raises(PermissionDenied, match="in time"):
            await using
        assert desk.caller.used == []


async def test_who_has_lost_the_lease_waits_no_longer() -> None:
    async with open_tools(server()) as desk:
        id, word = await held(desk)
        using = asyncio.ensure_future(use(desk, id, word, "far__ask_it"))
        approval = await desk.until_asked()
        await desk.services.submission.cancel(ADMIN, id)
        with pytest.raises(StaleLease):
            await using
        assert (await desk.services.questions.get(ADMIN, approval.id)).state is ApprovalState.WITHDRAWN
        assert desk.caller.used == []


@pytest.mark.parametrize("name", ["far__nothing", "near__allow_it", "allow_it", "far__"])
async def test_what_is_not_offered_is_not_used(name: str) -> None:
    async with open_tools(server(tools=("allow_*",))) as desk:
        id, word = await held(desk)
        with pytest.raises(NotFound):
            await use(desk, id, word, name)
        assert desk.caller.used == []


async def test_another_holders_word_uses_nothing() -> None:
    async with open_tools(server()) as desk:
        id, word = await held(desk)
        with pytest.raises(StaleLease):
            await use(desk, id, evolve(word, token="1.0"), "far__allow_it")
        assert desk.caller.used == []


async def test_the_server_is_told_our_credential_and_nobody_else_is() -> None:
    async with open_tools(server(secret="key")) as desk:
        await desk.services.secret_keeping.register(ADMIN, "key", SECRET)
        id, word = await held(desk)
        desk.caller.answer = ToolAnswer(
            content=[{"type": "text", "text": f"you said {SECRET}"}], data={SECRET: [SECRET]}
        )
        (_, tool), *_ = (await desk.services.tool_using.offered(TENANT, word, id)).tools
        answer = await use(desk, id, word, "far__allow_it")
        assert [credential for *_, credential in desk.caller.listed + desk.caller.used] == [SECRET, SECRET]
        assert SECRET not in f"{tool} {answer}" and "you said" in str(answer)


async def test_a_registered_secret_does_not_leave_with_the_arguments() -> None:
    async with open_tools(server()) as desk:
        await desk.services.secret_keeping.register(ADMIN, "key", SECRET)
        id, word = await held(desk)
        with pytest.raises(Invalid, match="arguments"):
            await use(desk, id, word, "far__allow_it", body={"deep": [SECRET]})
        assert desk.caller.used == []


def refused() -> CodeTetherError:
    return Invalid("", f"it says: {SECRET}", code="tool_refused")


def failed() -> CodeTetherError:
    return Unavailable(f"it says: {SECRET}", said=SECRET)


@pytest.mark.parametrize("wrong", [refused, failed])
async def test_what_a_server_says_is_wrong_tells_no_secret(wrong: Callable[[], CodeTetherError]) -> None:
    """Neither in place of an answer nor of the list, nor to who uses what is on no list therefore."""
    async with open_tools(server(), server("near")) as desk:
        await desk.services.secret_keeping.register(ADMIN, "key", SECRET)
        id, word = await held(desk)
        await names(desk, id, word)
        desk.caller.broken = {"far": wrong(), "near": wrong()}
        with pytest.raises((Invalid, Unavailable)) as called:
            await use(desk, id, word, "far__allow_it")
        desk.advance(timedelta(minutes=1))
        problem = (await desk.services.tool_using.offered(TENANT, word, id)).problems["near"]
        with pytest.raises((Invalid, Unavailable)) as unlisted:
            await use(desk, id, word, "near__allow_it")
        for told in (f"{called.value}", f"{vars(called.value)}", problem, f"{unlisted.value}"):
            assert SECRET not in told and "it says" in told


async def gone(desk: Tools) -> None:
    await desk.services.secret_keeping.remove(ADMIN, "oddkey")


async def for_others(desk: Tools) -> None:
    agents = frozenset({"claude"})
    await desk.services.secret_keeping.register(ADMIN, "oddkey", SECRET, variable="KEY", agents=agents)


@pytest.mark.parametrize("lost", [gone, for_others])
async def test_a_server_whose_secret_is_lost_is_not_asked_and_no_run_learns_which_it_was(
    lost: Callable[[Tools], Awaitable[None]],
) -> None:
    """Who may not see secrets is not told that there is one, by whichever way they ask."""
    async with open_tools(server(secret="oddkey")) as desk:
        await desk.services.secret_keeping.register(ADMIN, "oddkey", SECRET)
        id, word = await held(desk)
        await names(desk, id, word)
        asked = len(desk.caller.listed)
        await lost(desk)
        with pytest.raises(Unavailable, match="far cannot be signed in to") as called:
            await use(desk, id, word, "far__allow_it")
        desk.advance(timedelta(minutes=1))
        problems = (await desk.services.tool_using.offered(TENANT, word, id)).problems
        with pytest.raises(Unavailable) as unlisted:
            await use(desk, id, word, "far__allow_it")
        assert problems == {"far": "far cannot be signed in to"}
        assert "oddkey" not in f"{vars(called.value)} {vars(unlisted.value)}"
        assert (len(desk.caller.listed), desk.caller.used) == (asked, [])


async def test_people_are_shown_no_more_than_they_can_read() -> None:
    async with open_tools(server()) as desk:
        id, word = await held(desk)
        using = asyncio.ensure_future(use(desk, id, word, "far__ask_it", body="x" * 100_000))
        shown: Mapping[str, Any] = (await desk.until_asked()).details
        assert len(shown["arguments"]) < 20_000
        using.cancel()


async def test_a_use_that_nobody_waits_for_is_in_the_trail_too() -> None:
    async with open_tools(server()) as desk:
        id, word = await held(desk)
        using = asyncio.ensure_future(use(desk, id, word, "far__ask_it"))
        await desk.until_asked()
        using.cancel()
        with pytest.raises(asyncio.CancelledError):
            await using
        assert [(resource, outcome) for _, resource, outcome, _ in await desk.trail()] == [
            ("tool/far__ask_it", "failure")
        ]


async def test_a_lease_is_recognized_while_it_lasts_and_nobody_learns_why_it_is_not() -> None:
    async with open_tools(server()) as desk:
        id, word = await held(desk)
        recognized, token = desk.services.tool_using.recognized, word.token or ""
        assert await recognized(TENANT, id, token) == word
        pending = (await desk.submitted()).id
        told = set()
        for tenant, task, shown in (
            (TENANT, id, ""),
            (TENANT, id, "1.0"),
            (TENANT, id, f"{token}\udcff"),
            (TENANT, pending, token),
            (TENANT, TaskId("nothing"), token),
            (TenantId("other"), id, token),
        ):
            with pytest.raises(Unauthenticated) as refused:
                await recognized(tenant, task, shown)
            told.add((str(refused.value), refused.value.hint))
        assert len(told) == 1
        desk.advance(desk.services.terms.ttl)
        with pytest.raises(Unauthenticated):
            await recognized(TENANT, id, token)


async def test_a_holder_that_was_given_no_token_has_none_to_show() -> None:
    """Such as a deployed worker."""
    async with open_tools(server()) as desk:
        task, _ = await desk.claimed(await desk.submitted(), tokened=False)
        with pytest.raises(Unauthenticated):
            await desk.services.tool_using.recognized(TENANT, task.id, "")
