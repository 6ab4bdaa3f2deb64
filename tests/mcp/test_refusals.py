"""What is refused, in which words, and what the trail has of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from codetether_adapters.http import Drain
from codetether_adapters.mcp.caller import Caller, Exchange
from codetether_adapters.mcp.catalogue import Catalogue
from codetether_adapters.mcp.hub import Hub as Parts
from codetether_adapters.mcp.offer import Offer
from codetether_adapters.mcp.paging import cursor_of, place_in
from codetether_adapters.mcp.served import METHOD_NOT_FOUND, Refused
from codetether_adapters.mcp.task_words import EXTENSION
from codetether_adapters.mcp.tools.waiting import WaitTask, wait
from codetether_core.access import Principal
from codetether_core.audit import Actor, Outcome
from codetether_core.errors import Invalid, Unavailable
from codetether_core.services import RolePolicy
from tests.mcp.hub import RPC, Hub, answer_in, named, open_hub

ALICE = Principal(name="alice", roles=frozenset({"editor"}))
ABLE: Mapping[str, Any] = {"extensions": {EXTENSION: {}}, "elicitation": {}}


def parts(hub: Hub) -> Parts:
    return Parts(services=hub.api.services, authorizer=RolePolicy())


def counted(hub: Hub) -> dict[str, Outcome]:
    """What is about to be in the trail of what changed nothing."""
    return {each.resource: each.outcome for each in hub.api.services.recording._counts}


async def begun(hub: Hub) -> str:
    return str((await hub.tool("create_task", codebase="global", prompt="p"))["task_id"])


@pytest.mark.parametrize("offer", [Offer(read_only=True), Offer(deny=frozenset({"cancel_task", "answer_task"}))])
async def test_a_tool_that_is_left_out_is_not_had_by_another_name(offer: Offer) -> None:
    async with open_hub() as hub:
        id, exchange = await begun(hub), Exchange(caller=Caller(ALICE))
        catalogue = Catalogue(hub=parts(hub), offer=offer)
        for refused in (catalogue.cancel_task(exchange, id), catalogue.update_task(exchange, id, {})):
            with pytest.raises(Refused) as caught:
                await refused
            assert caught.value.code == METHOD_NOT_FOUND
        assert (await hub.api.shown(id))["status"] == "pending"
        assert (await catalogue.task(exchange, id))["status"] == "working"


async def test_without_the_wait_there_is_no_task_to_wait_for() -> None:
    async with open_hub() as hub:
        id, catalogue = await begun(hub), Catalogue(hub=parts(hub), offer=Offer(allow=frozenset({"get_task"})))
        with pytest.raises(Refused, match="wait_task"):
            await catalogue.task(Exchange(caller=Caller(ALICE)), id)


async def test_what_a_client_cannot_answer_it_is_not_asked() -> None:
    async with open_hub() as hub:
        id, exchange = await begun(hub), Exchange(caller=Caller(ALICE), capabilities=ABLE)
        run = await hub.claim()
        await run.ask()
        asking = Catalogue(hub=parts(hub))
        assert (await asking.task(exchange, id))["status"] == "input_required"
        silent = Catalogue(hub=parts(hub), offer=Offer(deny=frozenset({"answer_task"})))
        shown = await silent.task(exchange, id)
        assert (shown["status"], "inputRequests" in shown) == ("working", False)


async def test_a_clients_own_words_are_not_in_the_trail(hub: Hub) -> None:
    name = "n" * 100_000
    await hub.post("tasks/get", {"taskId": "t", "name": name}, headers={"Mcp-Name": "t"})
    await hub.post("tools/call", {"name": name, "arguments": {}}, headers={"Mcp-Name": "t"})
    await hub.tool("list_tasks")
    assert set(counted(hub)) == {f"{RPC} tasks/get", RPC, f"{RPC} tools/call list_tasks"}


async def test_a_resource_is_clipped_in_counts_too() -> None:
    async with open_hub() as hub:
        recording = hub.api.services.recording
        recording.count(ALICE.tenant, Actor(name="alice"), "tasks:read", "r" * 5_000, Outcome.SUCCESS)
        (kept,) = counted(hub)
        assert len(kept) == 300


async def test_what_the_protocol_refuses_is_a_failure_in_the_trail(hub: Hub) -> None:
    await hub.error("no/such")
    assert counted(hub) == {RPC: Outcome.FAILURE}
    await hub.tool("list_tasks")
    assert counted(hub)[f"{RPC} tools/call list_tasks"] is Outcome.SUCCESS


async def test_json_that_is_too_deep_is_no_request(hub: Hub) -> None:
    body = b'{"jsonrpc":"2.0","id":7,"method":"ping","params":' + b"[" * 900 + b"]" * 900 + b"}"
    headers = {"Authorization": "Bearer alice-token", "Content-Type": "application/json", **named("ping", {}, hub.era)}
    answer = await hub.api.client.post(RPC, content=body, headers=headers)
    assert answer.status_code == 400
    told = answer.json()
    assert (told["id"], told["error"]["code"]) == (7, -32600)
    assert "nested" in told["error"]["message"]


@pytest.mark.parametrize("text", ["\ud800", "\0"])
def test_a_cursor_that_no_store_could_look_up_is_forged(text: str) -> None:
    with pytest.raises(Invalid, match="not one that this server gave"):
        place_in(cursor_of(["2026-11-22T12:00:00Z", text]))


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tasks/get", {"taskId": "tsk_1"}),
        ("tasks/cancel", {"taskId": "tsk_1"}),
        ("tasks/update", {"taskId": "tsk_1", "inputResponses": {}}),
        ("resources/read", {"uri": "ct://tasks/tsk_1"}),
        ("subscriptions/listen", {"notifications": {"resourceSubscriptions": ["ct://tasks/tsk_1"]}}),
    ],
)
async def test_a_store_that_is_away_is_told_of_in_words(
    monkeypatch: pytest.MonkeyPatch, method: str, params: dict[str, Any]
) -> None:
    async def away(*_: object) -> None:
        raise Unavailable("The store does not answer")

    async with open_hub() as hub:
        monkeypatch.setattr(type(hub.api.services.backend.tasks), "get", away)
        with capture_logs() as logs:
            error = answer_in(await hub.post(method, params, capabilities=ABLE))["error"]
    assert error["data"] == {"code": "unavailable"}
    assert "call again in a few seconds" in error["message"]
    assert logs == []


async def test_a_wait_whose_time_is_over_is_not_given_up_once_more() -> None:
    """Whoever tells it to end, while it is ending, has others to tell."""

    @contextmanager
    def falls_at_its_end(fall: Callable[[], None]) -> Iterator[None]:
        try:
            yield
        finally:
            fall()

    async with open_hub() as hub:
        exchange = Exchange(caller=Caller(ALICE, falls_at_its_end))
        waited = await wait(parts(hub), exchange, WaitTask(task_id=await begun(hub), timeout_seconds=0))
    assert waited.timed_out


def test_who_leaves_tells_everybody_whatever_one_of_them_makes_of_it() -> None:
    drain, told = Drain(), list[int]()

    def fails() -> None:
        raise RuntimeError("in words that nobody is to read")

    with (
        drain.watched(fails),
        drain.watched(lambda: told.append(1)),
        drain.watched(lambda: fails()),
        drain.watched(lambda: told.append(2)),
        capture_logs() as logs,
    ):
        drain.begin()
    assert sorted(told) == [1, 2]
    assert [line["event"] for line in logs] == ["watcher_failed"] * 2
    assert "words" not in str(logs)
