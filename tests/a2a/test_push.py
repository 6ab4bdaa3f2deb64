"""Webhooks over the binding: kept, shown, forgotten, and told what happens in the words of their release."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from codetether_adapters import memory, sqlite
from codetether_adapters.a2a.records import SEQUENCE
from tests.a2a.hub import said
from tests.a2a.pushing import PUBLIC_KEY, PushHub, open_push_hub
from tests.outgoing.receiver import Receiver, Taken, open_receiver

pytestmark = pytest.mark.anyio

REST = "/a2a/rest"
MINUTE = timedelta(minutes=1)
TOKEN = "0123456789abcdef"
AUTHENTICATION = {"scheme": "Bearer", "credentials": "let-me-in"}


@pytest.fixture(params=["memory", "sqlite"])
async def hub(request: pytest.FixtureRequest, anyio_backend: str, tmp_path: Path) -> AsyncIterator[PushHub]:
    if request.param == "memory":
        opened = memory.open_backend("memory://")
    else:
        opened = sqlite.open_backend(f"sqlite:///{tmp_path}/codetether.db")
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(opened)
        yield await stack.enter_async_context(open_push_hub(backend))


@pytest.fixture
async def receiver(anyio_backend: str) -> AsyncIterator[Receiver]:
    async with open_receiver() as receiver:
        yield receiver


def states(taken: list[Taken]) -> list[str]:
    """How the task stood, message by message, in release 1.0."""
    told = [each.json.get("task") or each.json["statusUpdate"] for each in taken]
    return [each["status"]["state"].removeprefix("TASK_STATE_") for each in told]


def sequences(taken: list[Taken]) -> list[Mapping[str, int]]:
    """The records that each message is for."""
    told = [next(iter(each.json.values())) for each in taken]
    return [each["metadata"][SEQUENCE] for each in told]


async def test_a_webhook_in_a_message_is_told_everything(hub: PushHub, receiver: Receiver) -> None:
    """First the task, then every change, in order and without gaps; then nothing."""
    config = {"url": receiver.url, "token": TOKEN, "authentication": AUTHENTICATION}
    configuration = {"returnImmediately": True, "taskPushNotificationConfig": config}
    sent = (await hub.result("SendMessage", {**said("fix it"), "configuration": configuration}))["task"]
    await receiver.count(1)
    run = await hub.claim()
    await receiver.count(2)
    await run.say("on it\n", "still\n")
    await run.ask("Which?")
    asked = (await receiver.count(3))[-1].json["statusUpdate"]
    assert asked["status"]["message"]["parts"] == [{"text": "Which?"}]
    configuration = {"returnImmediately": True}
    await hub.result("SendMessage", {**said("that one", taskId=sent["id"]), "configuration": configuration})
    await receiver.count(4)
    await run.end(result="done")
    taken = await receiver.count(5)
    assert states(taken) == ["SUBMITTED", "WORKING", "INPUT_REQUIRED", "WORKING", "COMPLETED"]
    assert taken[0].json["task"]["history"][0]["parts"] == [{"text": "fix it"}]
    last = taken[-1].json["statusUpdate"]
    assert (last["taskId"], last["contextId"]) == (sent["id"], sent["contextId"])
    assert last["status"]["message"]["parts"] == [{"text": "done"}]
    reached = 0
    for records in sequences(taken):
        assert records["first"] == reached + 1 and records["sequence"] >= records["first"]
        reached = records["sequence"]
    for each in taken:
        assert each.headers["content-type"] == "application/a2a+json"
        assert each.headers["authorization"] == "Bearer let-me-in"
        assert each.headers["x-a2a-notification-token"] == TOKEN
    assert len({each.headers["webhook-id"] for each in taken}) == 5


async def test_release_0_3_is_told_the_whole_task(hub: PushHub, receiver: Receiver) -> None:
    """Each time, with what it made once it has ended."""
    message = {"kind": "message", "messageId": "m", "role": "user", "parts": [{"kind": "text", "text": "fix it"}]}
    config = {"url": receiver.url, "token": TOKEN, "authentication": {"schemes": ["Bearer"], "credentials": "in"}}
    params = {"message": message, "configuration": {"blocking": False, "pushNotificationConfig": config}}
    sent = await hub.result("message/send", params)
    await receiver.count(1)
    run = await hub.claim()
    await receiver.count(2)
    await run.say("hello")
    await run.end(result="done")
    taken = await receiver.count(3)
    told = [each.json for each in taken]
    assert [each["status"]["state"] for each in told] == ["submitted", "working", "completed"]
    assert {each["kind"] for each in told} == {"task"} and {each["id"] for each in told} == {sent["id"]}
    assert told[-1]["artifacts"][0]["parts"] == [{"kind": "text", "text": "hello"}]
    assert taken[0].headers["content-type"] == "application/json"
    assert taken[0].headers["authorization"] == "Bearer in"


@pytest.mark.parametrize("token", [TOKEN, "whsec_" + base64.b64encode(b"a secret of the receiver").decode(), None])
async def test_receivers_can_tell_that_it_was_us(hub: PushHub, receiver: Receiver, token: str | None) -> None:
    """By the rules of Standard Webhooks: with the token, and with our public key."""
    run = await hub.begin()
    await hub.keep(run.id, url=receiver.url, **({"token": token} if token else {}))
    (taken,) = await receiver.count(1)
    id, moment = taken.headers["webhook-id"], taken.headers["webhook-timestamp"]
    assert int(moment) == int(hub.api.clock.moment.timestamp())
    signed = f"{id}.{moment}.".encode() + taken.body
    signatures = dict(each.split(",") for each in taken.headers["webhook-signature"].split(" "))
    if token:
        key = base64.b64decode(token.removeprefix("whsec_")) if token.startswith("whsec_") else token.encode()
        expected = hmac.new(key, signed, hashlib.sha256).digest()
        assert base64.b64decode(signatures.pop("v1")) == expected
    told = await hub.api.eve.ok("GET", "/v1/agent/push/signing-key")
    assert base64.b64decode(told["key"].removeprefix("whpk_")) == PUBLIC_KEY
    Ed25519PublicKey.from_public_bytes(PUBLIC_KEY).verify(base64.b64decode(signatures.pop("v1a")), signed)
    assert not signatures


async def test_a_task_that_has_ended_is_told_once(hub: PushHub, receiver: Receiver) -> None:
    run = await hub.begin()
    await run.end(result="done")
    kept = await hub.keep(run.id, url=receiver.url)
    assert (kept["id"], kept["taskId"], kept["url"]) == (run.id, run.id, receiver.url)
    assert states(await receiver.count(1)) == ["COMPLETED"]
    await hub.until_done()
    hub.later(MINUTE)
    other = await hub.keep(run.id, url=receiver.url, id="other")
    assert states(await receiver.count(2)) == ["COMPLETED", "COMPLETED"]
    shown = await hub.result("ListTaskPushNotificationConfigs", {"taskId": run.id})
    assert {each["id"] for each in shown["configs"]} == {run.id, other["id"]} and not shown["nextPageToken"]


async def test_who_gives_a_webhook_gets_the_task_that_it_is_told_of(hub: PushHub, receiver: Receiver) -> None:
    """Also where the agent does nothing but answer."""
    configuration = {"taskPushNotificationConfig": {"url": receiver.url}}
    sending = asyncio.create_task(hub.result("SendMessage", {**said("what?"), "configuration": configuration}))
    run = await hub.claim()
    await run.end(result="Forty-two", reason="answered")
    assert (await sending)["task"]["id"] == run.id


async def test_webhooks_are_shown_in_either_release_and_forgotten_twice(hub: PushHub) -> None:
    """Without what only the receiver is to know."""
    run = await hub.begin()
    names = ("tasks/pushNotificationConfig/set", "tasks/pushNotificationConfig/get")
    url = "https://hooks.example/a"
    config = {"url": url, "token": TOKEN, "authentication": {"schemes": ["Basic"], "credentials": "eDp5"}}
    given = {"taskId": run.id, "pushNotificationConfig": config}
    assert (await hub.result(names[0], given))["pushNotificationConfig"] == {"id": run.id, **config}
    shown = await hub.result(names[1], {"id": run.id})
    assert shown == {
        "taskId": run.id,
        "pushNotificationConfig": {"id": run.id, "url": url, "authentication": {"schemes": ["Basic"]}},
    }
    assert await hub.result(names[1], {"id": run.id, "pushNotificationConfigId": "default"}) == shown
    assert (await hub.error(names[1], {"id": run.id, "pushNotificationConfigId": "other"}))["code"] == -32001
    new_name = {"taskId": run.id, "id": "default"}
    assert (await hub.error("GetTaskPushNotificationConfig", new_name))["code"] == -32001
    assert await hub.result("tasks/pushNotificationConfig/list", {"id": run.id}) == [shown]
    new = await hub.result("GetTaskPushNotificationConfig", {"taskId": run.id, "id": run.id})
    assert new == {"id": run.id, "taskId": run.id, "url": url, "authentication": {"scheme": "Basic"}}
    old = {"id": run.id, "pushNotificationConfigId": run.id}
    assert await hub.result("tasks/pushNotificationConfig/delete", old) is None
    assert await hub.result("DeleteTaskPushNotificationConfig", {"taskId": run.id, "id": run.id}) == {}
    error = await hub.error("GetTaskPushNotificationConfig", {"taskId": run.id, "id": run.id})
    assert (error["code"], error["message"]) == (-32001, "The task has no such webhook")
    assert await hub.result("tasks/pushNotificationConfig/list", {"id": run.id}) == []


async def test_many_come_in_pages(hub: PushHub) -> None:
    run = await hub.begin()
    for number in range(5):
        await hub.keep(run.id, url="https://hooks.example/", id=f"hook {number}")
    found: list[str] = []
    token = ""
    for size in (2, 2, 1):
        asked = {"taskId": run.id, "pageSize": 2, "pageToken": token}
        page = await hub.result("ListTaskPushNotificationConfigs", asked)
        assert len(page["configs"]) == size
        found += [each["id"] for each in page["configs"]]
        token = page["nextPageToken"]
    assert sorted(found) == [f"hook {number}" for number in range(5)] and not token


async def test_a_task_has_only_so_many(hub: PushHub) -> None:
    run = await hub.begin()
    for number in range(20):
        await hub.keep(run.id, url="https://hooks.example/", id=str(number))
    await hub.keep(run.id, url="https://hooks.example/", id="3")
    config = {"url": "https://a.example/"}
    error = await hub.error("CreateTaskPushNotificationConfig", {"taskId": run.id, **config})
    assert error["code"] == -32004
    await run.ask("Which?")
    answer = {**said("this", taskId=run.id), "configuration": {"taskPushNotificationConfig": config}}
    assert (await hub.error("SendMessage", answer))["code"] == -32004
    assert (await hub.api.shown(run.id))["status"] == "input_required", "the question was not answered"


async def test_over_http_json(hub: PushHub, receiver: Receiver) -> None:
    run = await hub.begin()
    at = f"{REST}/tasks/{run.id}/pushNotificationConfigs"
    body = {"url": receiver.url, "id": "mine", "token": TOKEN}
    kept = await hub.api.alice.ok("POST", at, body)
    assert kept == {**body, "taskId": run.id}
    await receiver.count(1)
    shown = {"id": "mine", "taskId": run.id, "url": receiver.url}
    assert await hub.api.alice.ok("GET", f"{at}/mine") == shown
    assert (await hub.api.alice.ok("GET", at))["configs"] == [shown]
    for _ in range(2):
        assert await hub.api.alice.ok("DELETE", f"{at}/mine") == {}
    assert (await hub.api.alice("GET", f"{at}/mine")).status_code == 404


WRONG: list[tuple[Mapping[str, Any], str]] = [
    ({"url": "http://10.0.0.1/"}, "url"),
    ({"url": "http://169.254.169.254/latest/meta-data"}, "url"),
    ({"url": "http://[::ffff:10.0.0.1]/"}, "url"),
    ({"url": "http://0x0a.1/"}, "url"),
    ({"url": "http://192.168.1.1:80/"}, "url"),
    ({"url": "ftp://hooks.example/"}, "url"),
    ({"url": "hooks.example"}, "url"),
    ({"url": "http://user:word@hooks.example/"}, "url"),
    ({"url": "http://hooks.example/a b"}, "url"),
    ({"url": ""}, "url"),
    ({"url": "https://hooks.example/", "id": "x" * 256}, "id"),
    ({"url": "https://hooks.example/", "id": "a\nb"}, "id"),
    ({"url": "https://hooks.example/", "token": "a\nb"}, "token"),
    ({"url": "https://hooks.example/", "token": "x" * 5000}, "token"),
    ({"url": "https://hooks.example/", "authentication": {"scheme": "Bea rer"}}, "authentication.scheme"),
    (
        {"url": "https://hooks.example/", "authentication": {"scheme": "Bearer", "credentials": "a\r\nX: y"}},
        "authentication.credentials",
    ),
]


@pytest.mark.parametrize(("config", "field"), WRONG, ids=str)
async def test_what_cannot_be_kept_changes_nothing(hub: PushHub, config: Mapping[str, Any], field: str) -> None:
    """Neither a webhook is kept, nor is the message that has it in it."""
    run = await hub.begin()
    error = await hub.error("CreateTaskPushNotificationConfig", {"taskId": run.id, **config})
    assert violations(error) == (-32602, [field])
    configuration = {"returnImmediately": True, "taskPushNotificationConfig": config}
    error = await hub.error("SendMessage", {**said(), "configuration": configuration})
    assert violations(error) == (-32602, [f"configuration.taskPushNotificationConfig.{field}"])
    assert len(await hub.api.alice.ok("GET", "/v1/agent/tasks")) == 1
    assert (await hub.result("ListTaskPushNotificationConfigs", {"taskId": run.id}))["configs"] == []


def violations(error: Mapping[str, Any]) -> tuple[int, list[str]]:
    details = error["data"][1]["fieldViolations"]
    return error["code"], [each["field"] for each in details]


async def test_the_old_release_is_told_where_it_is_wrong(hub: PushHub) -> None:
    run = await hub.begin()
    wrong = {"taskId": run.id, "pushNotificationConfig": {"url": "http://10.0.0.1/"}}
    error = await hub.error("tasks/pushNotificationConfig/set", wrong)
    assert error["code"] == -32602 and "pushNotificationConfig.url" in error["message"]


async def test_nobody_sees_another_ones(hub: PushHub, receiver: Receiver) -> None:
    """Of somebody's task neither is there anything to see, nor may anything be added."""
    run = await hub.begin(who="ann")
    await hub.keep(run.id, "ann", url=receiver.url)
    for method, params in (
        ("CreateTaskPushNotificationConfig", {"taskId": run.id, "url": receiver.url}),
        ("GetTaskPushNotificationConfig", {"taskId": run.id, "id": run.id}),
        ("ListTaskPushNotificationConfigs", {"taskId": run.id}),
        ("DeleteTaskPushNotificationConfig", {"taskId": run.id, "id": run.id}),
    ):
        assert (await hub.error(method, params, "ben"))["code"] == -32001
    denied = await hub.post(
        {"jsonrpc": "2.0", "id": 1, "method": "CreateTaskPushNotificationConfig", "params": {}}, "eve"
    )
    assert denied.status_code == 403


async def test_the_card_says_that_there_are_webhooks(hub: PushHub) -> None:
    card = await hub.api.alice.ok("GET", "/.well-known/agent-card.json")
    assert card["capabilities"]["pushNotifications"] is True
