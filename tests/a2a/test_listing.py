"""Lists of tasks, and whose tasks they are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from codetether_adapters.a2a.operations import matching
from tests.a2a.hub import Hub, said

NOW = {"returnImmediately": True}


async def sent(hub: Hub, text: str = "t", who: str = "alice", **members: Any) -> str:
    hub.api.clock.advance(timedelta(seconds=1))
    return str((await hub.result("SendMessage", {**said(text, **members), "configuration": NOW}, who))["task"]["id"])


async def listed(hub: Hub, who: str = "alice", **params: Any) -> list[str]:
    return [task["id"] for task in (await hub.result("ListTasks", params, who))["tasks"]]


async def test_all_tasks_come_in_pages_the_latest_first(hub: Hub) -> None:
    ids = [await sent(hub) for _ in range(7)]
    await hub.result("CancelTask", {"id": ids[2]})
    expected = [ids[2], *(ids[at] for at in (6, 5, 4, 3, 1, 0))]
    found: list[str] = []
    token, total = "", 7
    for size in (3, 3, 1):
        page = await hub.result("ListTasks", {"pageSize": 3, "pageToken": token})
        assert (len(page["tasks"]), page["pageSize"], page["totalSize"]) == (size, 3, total)
        found += [task["id"] for task in page["tasks"]]
        token = page["nextPageToken"]
        await sent(hub)  # in front, where it disturbs nobody
        total += 1
    assert token == ""
    assert found == expected


async def test_filters_hold_together(hub: Hub) -> None:
    one, two, three = await sent(hub, contextId="a"), await sent(hub, contextId="b"), await sent(hub, contextId="a")
    assert await listed(hub, contextId="a") == [three, one]
    assert await listed(hub, contextId="c") == []
    await hub.result("CancelTask", {"id": one})
    assert await listed(hub, status="TASK_STATE_CANCELED") == [one]
    assert await listed(hub, status="TASK_STATE_SUBMITTED", contextId="a") == [three]
    assert await listed(hub, status="UNRECOGNIZED") == [one, three, two]
    since = (await hub.result("GetTask", {"id": three}))["status"]["timestamp"]
    assert await listed(hub, statusTimestampAfter=since) == [one, three]


async def test_every_state_can_be_asked_for(hub: Hub) -> None:
    run = await hub.begin()
    await sent(hub)
    assert await listed(hub, status="TASK_STATE_WORKING") == [run.id]
    await run.ask("?", kind="auth")
    assert await listed(hub, status="TASK_STATE_INPUT_REQUIRED") == []
    assert await listed(hub, status=8) == [run.id]
    await run.give_back()
    assert await listed(hub, status="TASK_STATE_WORKING") == [run.id]
    assert run.id not in await listed(hub, status="TASK_STATE_SUBMITTED")


async def some_of_each(hub: Hub) -> dict[str, set[str]]:
    """Tasks in every state of the protocol's."""
    names = ["REJECTED", *["FAILED"] * 2, "COMPLETED", "CANCELED", "AUTH_REQUIRED", *["INPUT_REQUIRED"] * 2]
    runs = [(name, await hub.begin()) for name in (*names, "WORKING", "WORKING")]
    for name, run in runs:
        hub.api.clock.advance(timedelta(seconds=1))
        match name:
            case "REJECTED":
                await run.end("failed", error="no", reason="rejected")
            case "FAILED" | "COMPLETED":
                await run.end(name.lower())
            case "CANCELED":
                await hub.result("CancelTask", {"id": run.id})
            case "AUTH_REQUIRED":
                await run.ask()
                await run.ask("Sign in", kind="auth")
            case "INPUT_REQUIRED":
                await run.ask()
    await runs[-1][1].give_back()
    submitted = {await sent(hub) for _ in range(2)}
    found: dict[str, set[str]] = {"SUBMITTED": submitted}
    for name, run in runs:
        found.setdefault(name, set()).add(run.id)
    return found


@pytest.mark.parametrize("size", [1, 2, 100])
async def test_of_each_state_all_are_listed_and_no_others_are_counted(hub: Hub, size: int) -> None:
    for name, expected in (await some_of_each(hub)).items():
        found: list[str] = []
        totals: list[int] = []
        token = ""
        while token or not totals:
            asked = {"status": f"TASK_STATE_{name}", "pageSize": size, "pageToken": token}
            page = await hub.result("ListTasks", asked)
            found += [task["id"] for task in page["tasks"]]
            token = page["nextPageToken"]
            totals.append(page["totalSize"])
        assert (set(found), set(totals)) == (expected, {len(expected)}), name
        assert len(found) == len(expected)
    assert (await hub.result("ListTasks", {"pageSize": 1}))["totalSize"] == 12


async def test_where_there_are_too_many_to_look_at_they_count_as_what_most_are(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three that failed the latest is looked at, and the first was rejected."""
    await some_of_each(hub)
    monkeypatch.setattr(matching, "_MOST", 1)
    place = (await hub.result("ListTasks", {"pageSize": 1}))["nextPageToken"]
    for name, total in (("FAILED", 3), ("REJECTED", 0), ("INPUT_REQUIRED", 3), ("AUTH_REQUIRED", 0), ("WORKING", 1)):
        page = await hub.result("ListTasks", {"status": f"TASK_STATE_{name}", "pageToken": place})
        assert (name, page["totalSize"]) == (name, total)


async def test_artifacts_and_history_are_there_as_far_as_they_are_asked_for(hub: Hub) -> None:
    run = await hub.begin()
    await run.say("out")
    await run.end()
    (plain,) = (await hub.result("ListTasks", {"historyLength": 0}))["tasks"]
    assert plain.keys() == {"id", "contextId", "status"}
    (whole,) = (await hub.result("ListTasks", {"includeArtifacts": True}))["tasks"]
    assert whole["artifacts"][0]["parts"] == [{"text": "out"}]
    assert whole == await hub.result("GetTask", {"id": run.id})


async def test_a_page_has_at_most_so_many_bytes_and_the_next_one_the_rest(hub: Hub) -> None:
    ids = [await sent(hub, "x" * 1_500_000) for _ in range(6)]
    found: list[str] = []
    token, pages = "", 0
    while token or not pages:
        page = await hub.result("ListTasks", {"pageToken": token})
        found += [task["id"] for task in page["tasks"]]
        token, pages = page["nextPageToken"], pages + 1
    assert found == ids[::-1]
    assert pages > 1


@pytest.mark.parametrize(
    "params",
    [
        {"pageSize": 0},
        {"pageSize": 101},
        {"pageSize": "many"},
        {"pageToken": "x"},
        {"pageToken": "eA"},
        {"historyLength": -1},
        {"statusTimestampAfter": "yesterday"},
        {"includeArtifacts": 1},
        {"contextId": 5},
    ],
)
async def test_wrong_parameters_are_refused(hub: Hub, params: Any) -> None:
    error = await hub.error("ListTasks", params)
    assert error["code"] == -32602
    assert error["data"][1]["fieldViolations"][0]["field"] == next(iter(params))


async def test_an_agent_sees_its_own_tasks_and_those_who_may_see_everybodys(hub: Hub) -> None:
    mine, theirs = await sent(hub, who="ann"), await sent(hub, who="ben")
    assert await listed(hub, "ann") == [mine]
    assert await listed(hub, "ben") == [theirs]
    for who in ("alice", "eve", "bot"):
        assert await listed(hub, who) == [theirs, mine]
        assert (await hub.result("GetTask", {"id": mine}, who))["id"] == mine


@pytest.mark.parametrize("method", ["GetTask", "CancelTask", "SubscribeToTask", "tasks/get", "tasks/cancel"])
async def test_what_is_anothers_is_not_found(hub: Hub, method: str) -> None:
    theirs = await sent(hub, who="ben")
    error = await hub.error(method, {"id": theirs}, "ann")
    unknown = await hub.error(method, {"id": "tsk_none"}, "ann")
    assert error["code"] == unknown["code"] == -32001
    assert error["message"] == unknown["message"]
    assert (await hub.error("SendMessage", said(taskId=theirs), "ann"))["code"] == -32001
    assert (await hub.api.shown(theirs))["status"] == "pending"


@pytest.mark.parametrize(
    ("method", "params"), [("SendMessage", said()), ("CancelTask", {"id": "x"}), ("message/send", said())]
)
async def test_who_may_only_look_is_refused_by_http(hub: Hub, method: str, params: Any) -> None:
    answer = await hub.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, "eve")
    assert answer.status_code == 403
    assert answer.json()["permission"] == "tasks:write"
    assert (await hub.api.alice.ok("GET", "/v1/agent/tasks")) == []
