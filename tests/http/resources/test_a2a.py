"""A2A over the application's routes: at every address, by every method, what was done elsewhere is seen."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from codetether_adapters.a2a.errors import UNSUPPORTED_OPERATION, Refused
from codetether_apps.settings import Settings, read_settings
from codetether_apps.wiring.a2a import open_cards
from codetether_core.access import Principal
from codetether_core.services import RolePolicy
from tests.http.coverage import covers
from tests.http.resources.harness import Api, data

NEW = {"A2A-Version": "1.0"}
REST = "/a2a/rest"
NOW = {"returnImmediately": True}


def rpc(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def message(text: str, **members: Any) -> dict[str, Any]:
    return {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": text}], **members}


@covers("POST /", "POST /v1/a2a/", "POST /a2a/jsonrpc")
@pytest.mark.parametrize("path", ["/", "/v1/a2a", "/v1/a2a/", "/a2a/jsonrpc"])
async def test_a_task_of_the_api_is_one_of_the_protocols_and_the_reverse(api: Api, path: str) -> None:
    id = (await api.task(prompt="by the API"))["id"]
    shown = (await api.alice.ok("POST", path, rpc("GetTask", id=id), headers=NEW))["result"]
    assert (shown["id"], shown["status"]["state"]) == (id, "TASK_STATE_SUBMITTED")
    assert shown["history"][0]["parts"] == [{"text": "by the API"}]
    sent = await api.alice.ok(
        "POST", path, rpc("SendMessage", message=message("by the protocol"), configuration=NOW), headers=NEW
    )
    assert (await api.shown(sent["result"]["task"]["id"]))["prompt"] == "by the protocol"
    old = await api.alice.ok("POST", path, rpc("tasks/cancel", id=id))
    assert old["result"]["status"]["state"] == "canceled"
    assert (await api.shown(id))["status"] == "cancelled"


@covers(
    f"POST {REST}/message:send",
    f"GET {REST}/tasks",
    f"GET {REST}/tasks/{{id}}",
    f"POST {REST}/tasks/{{id}}:cancel",
)
async def test_the_same_by_methods_and_paths(api: Api) -> None:
    body = {"message": message("by HTTP"), "configuration": NOW}
    id = (await api.alice.ok("POST", f"{REST}/message:send", body))["task"]["id"]
    assert (await api.shown(id))["prompt"] == "by HTTP"
    await api.claimed(id)
    assert (await api.alice.ok("GET", f"{REST}/tasks/{id}"))["status"]["state"] == "TASK_STATE_WORKING"
    assert [each["id"] for each in (await api.alice.ok("GET", f"{REST}/tasks"))["tasks"]] == [id]
    await api.alice.ok("POST", f"{REST}/tasks/{id}:cancel")
    assert (await api.shown(id))["status"] == "cancelled"


@covers(
    f"POST {REST}/message:stream",
    f"GET {REST}/tasks/{{id}}:subscribe",
    f"POST {REST}/tasks/{{id}}:subscribe",
)
async def test_what_a_worker_does_is_watched(api: Api) -> None:
    async with api.watch(f"{REST}/message:stream", json={"message": message("watch")}) as sender:
        id = data(await sender.event())["task"]["id"]
        path = f"{REST}/tasks/{id}:subscribe"
        async with api.watch(path) as getting, api.watch(path, json={}) as posting:
            lease = (await api.claimed(id))["lease"]
            word = {"worker_id": "w1", "lease_token": lease["token"], "status": "completed", "result": "r"}
            await api.bot.ok("PUT", f"/v1/agent/tasks/{id}/status", word)
            for stream in (sender, getting, posting):
                last = data((await stream.rest())[-1])["statusUpdate"]["status"]
                assert (last["state"], last["message"]["parts"]) == ("TASK_STATE_COMPLETED", [{"text": "r"}])


@covers(
    f"POST {REST}/tasks/{{id}}/pushNotificationConfigs",
    f"GET {REST}/tasks/{{id}}/pushNotificationConfigs",
    f"GET {REST}/tasks/{{id}}/pushNotificationConfigs/{{config_id}}",
    f"DELETE {REST}/tasks/{{id}}/pushNotificationConfigs/{{config_id}}",
)
async def test_what_is_not_there_is_said_to_be_so(api: Api) -> None:
    id = (await api.task())["id"]
    webhooks = f"{REST}/tasks/{id}/pushNotificationConfigs"
    for method, path, reason in (
        ("POST", webhooks, "PUSH_NOTIFICATION_NOT_SUPPORTED"),
        ("GET", webhooks, "PUSH_NOTIFICATION_NOT_SUPPORTED"),
        ("GET", f"{webhooks}/one", "PUSH_NOTIFICATION_NOT_SUPPORTED"),
        ("DELETE", f"{webhooks}/one", "PUSH_NOTIFICATION_NOT_SUPPORTED"),
    ):
        answer = await api.alice(method, path, {"url": "https://a.test"} if method == "POST" else None)
        assert answer.status_code == 400
        assert answer.json()["error"]["details"][0]["reason"] == reason


@covers(f"GET {REST}/extendedAgentCard")
async def test_who_is_known_is_told_of_agents_and_codebases(api: Api) -> None:
    """In every binding and release; and what it is told of, its messages may name."""
    await api.ann.ok("POST", "/v1/agent/agents", {"name": "surveyor", "description": "Looks around."})
    codebase = await api.codebase()
    card = await api.alice.ok("GET", f"{REST}/extendedAgentCard")
    skills = {each["id"]: each["description"] for each in card["skills"]}
    assert skills["agent:surveyor"] == "Looks around."
    assert f"codebase:{codebase}" in skills
    assert (await api.alice.ok("POST", "/v1/a2a", rpc("GetExtendedAgentCard"), headers=NEW))["result"] == card
    assert (await api.alice.ok("POST", "/v1/a2a", rpc("agent/getAuthenticatedExtendedCard")))["result"] == card
    for skill, member, value in (
        ("agent:surveyor", "target_agent_name", "surveyor"),
        (f"codebase:{codebase}", "codebase_id", codebase),
    ):
        body = {"message": message("by skill", metadata={"skill_id": skill}), "configuration": NOW}
        id = (await api.alice.ok("POST", f"{REST}/message:send", body))["task"]["id"]
        assert (await api.shown(id))[member] == value


async def test_nobody_is_told_of_what_it_may_not_read(api: Api) -> None:
    """By role or by the scopes of a key; nor of agents that are heard of no more."""
    await api.ann.ok("POST", "/v1/agent/agents", {"name": "surveyor"})
    await api.codebase()
    await api.bot.ok("POST", "/v1/agent/workers/register", {"worker_id": "w1", "name": "one", "agents": ["codex"]})
    cards = open_cards(Settings(), api.services, RolePolicy())

    async def told(*scopes: str) -> set[str]:
        principal = Principal(name="eve", roles=frozenset({"viewer"}), scopes=frozenset(scopes))
        card = await cards.extended(principal, "http://server", "1.0")
        return {each["id"].partition(":")[0] for each in card["skills"]}

    assert await told("identity:read") == {"task_delegation"}
    assert await told("identity:read", "agents:read") == {"task_delegation", "agent"}
    assert await told("identity:read", "workers:read") == {"task_delegation", "codex"}
    assert await told("identity:read", "codebases:read") == {"task_delegation", "codebase"}
    api.clock.advance(timedelta(minutes=3))
    assert await told("agents:read", "workers:read", "codebases:read") == {"task_delegation", "codebase"}


async def test_a_card_is_pure_for_release_1_0_where_that_is_wanted(api: Api) -> None:
    settings = read_settings(environment={"CODETETHER_PURE_CARD": "on"}, directory=Path("/nowhere"))
    cards = open_cards(settings, api.services, RolePolicy())
    principal = Principal(name="eve", roles=frozenset({"viewer"}))
    new, old = [await cards.extended(principal, "http://server", release) for release in ("1.0", "0.3")]
    assert "url" not in new
    assert old["url"] == "http://server/v1/a2a"


async def test_where_nobody_signs_in_nobody_is_known(api: Api) -> None:
    settings = read_settings(environment={"CODETETHER_AUTH": "off"}, directory=Path("/nowhere"))
    cards = open_cards(settings, api.services, RolePolicy())
    with pytest.raises(Refused) as refused:
        await cards.extended(Principal(name="anonymous"), "http://server", "1.0")
    assert refused.value.kind is UNSUPPORTED_OPERATION
