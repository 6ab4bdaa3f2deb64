"""What is wrong with a call, over a real server's HTTP: the protocol's own code for it, and nothing changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.http.server import TOKEN, serving

HELLO = {"message": {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "hi"}]}}
OLD = {"message": {"messageId": "m", "role": "user", "parts": [{"kind": "text", "text": "hi"}]}}
DEPLOYED = {"message": {"parts": [{"type": "text", "content": "hi"}]}}
FOREIGN = "tsk_01k0000000000000000000000000000000000000b0"
AGENTS = f"admin:{TOKEN}:admin,ann:token-of-the-agent-ann:agent"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Of one server; whatever is refused must have changed nothing."""
    directory = tmp_path_factory.mktemp("a2a")
    with serving(directory, {"CODETETHER_TOKENS": AGENTS}) as server:
        headers = {"Authorization": f"Bearer {TOKEN}", "A2A-Version": "1.0"}
        with httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
            yield client
            assert {task["prompt"] for task in client.get("/v1/agent/tasks").json()} <= {"meant"}


def call(method: Any = "SendMessage", params: Any = HELLO, **members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params, **members}


def send(**message: Any) -> dict[str, Any]:
    return call(params={"message": {**HELLO["message"], **message}})


def without(name: str) -> dict[str, Any]:
    return call(params={"message": {key: value for key, value in HELLO["message"].items() if key != name}})


DEEP = "[" * 101 + "]" * 101

CALLS: dict[str, tuple[Any, int, Any]] = {
    "not JSON": (b"{", -32700, None),
    "no body": (b"", -32700, None),
    "a lone surrogate": (b'"\\ud800"', -32700, None),
    "too deep": (f'{{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{DEEP}}}'.encode(), -32600, 1),
    "a batch": ([call()], -32600, None),
    "no object": ("hello", -32600, None),
    "another JSON-RPC": (call(jsonrpc="1.0"), -32600, 1),
    "no JSON-RPC": ({"id": 1, "method": "GetTask"}, -32600, 1),
    "a boolean id": (call(id=True), -32600, None),
    "a broken id": (call(id=1.5), -32600, None),
    "an object as id": (call(id={}), -32600, None),
    "no method": ({"jsonrpc": "2.0", "id": "x"}, -32600, "x"),
    "a number as method": (call(5), -32600, 1),
    "a method that is none": (call("message/hat"), -32601, 1),
    "a method in other letters": (call("sendMessage"), -32601, 1),
    "params in an array": (call(params=[HELLO]), -32602, 1),
    "no params": (call(params=None), -32602, 1),
    "no message": (call(params={}), -32602, 1),
    "no message id": (without("messageId"), -32602, 1),
    "an empty message id": (send(messageId=""), -32602, 1),
    "no role": (without("role"), -32602, 1),
    "missing parts": (without("parts"), -32602, 1),
    "empty parts": (send(parts=[]), -32602, 1),
    "a part with nothing in it": (send(parts=[{}]), -32602, 1),
    "a part with two contents": (send(parts=[{"text": "a", "url": "b"}]), -32602, 1),
    "nothing said": (send(parts=[{"text": " "}]), -32602, 1),
    "a NUL": (send(parts=[{"text": "a\0b"}]), -32602, 1),
    "a NUL in the id": (call(id="a\0b"), -32602, "a\0b"),
    "a NUL in the method": (call("message/\0"), -32601, 1),
    "an integer of too many bits": (send(metadata={"priority": 2**70}), -32602, 1),
    "an id of too many bits": (call(id=2**70), -32600, None),
    "no base 64": (send(parts=[{"raw": "%%%", "mediaType": "text/plain"}]), -32602, 1),
    "a picture": (send(parts=[{"raw": "aGk=", "mediaType": "image/png"}]), -32005, 1),
    "a file of no kind": (send(parts=[{"raw": "aGk="}]), -32005, 1),
    "a text that is none": (send(parts=[{"raw": "/w==", "mediaType": "text/plain"}]), -32005, 1),
    "an unknown task": (send(taskId=FOREIGN), -32001, 1),
    "a long context": (send(contextId="x" * 256), -32602, 1),
    "a priority in words": (send(metadata={"priority": "high"}), -32602, 1),
    "a long type of agent": (send(metadata={"agent_type": "x" * 256}), -32602, 1),
    "a long name of an agent": (send(metadata={"target_agent_name": "x" * 256}), -32602, 1),
    "a long model": (send(metadata={"model": "x" * 256}), -32602, 1),
    "a long skill": (send(metadata={"skill_id": "x" * 256}), -32602, 1),
    "an unknown codebase": (send(metadata={"codebase_id": "cb_none"}), -32602, 1),
    "negative history": (call(params={**HELLO, "configuration": {"historyLength": -1}}), -32602, 1),
    "a bad webhook": (call(params={**HELLO, "configuration": {"taskPushNotificationConfig": {"url": "u"}}}), -32602, 1),
    "an unknown task to get": (call("GetTask", {"id": FOREIGN}), -32001, 1),
    "no task to get": (call("GetTask", {}), -32602, 1),
    "a number as task": (call("GetTask", {"id": 5}), -32602, 1),
    "negative history of a task": (call("GetTask", {"id": FOREIGN, "historyLength": -1}), -32602, 1),
    "an unknown task to cancel": (call("CancelTask", {"id": FOREIGN}), -32001, 1),
    "an unknown task to watch": (call("SubscribeToTask", {"id": FOREIGN}), -32001, 1),
    "a bad page token": (call("ListTasks", {"pageToken": "x"}), -32602, 1),
    "webhooks of an unknown task": (call("ListTaskPushNotificationConfigs", {"taskId": FOREIGN}), -32001, 1),
    "a stream of nothing": (call("SendStreamingMessage", {}), -32602, 1),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_has_its_code(client: httpx.Client, name: str) -> None:
    body, code, id = CALLS[name]
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.post("/v1/a2a", content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
    told = answer.json()
    assert told.keys() == {"jsonrpc", "id", "error"}
    assert (told["id"], told["error"]["code"]) == (id, code), told
    assert told["error"].keys() <= {"code", "message", "data"}
    assert all(
        isinstance(value, str) for info in told["error"].get("data", []) for value in info.get("metadata", {}).values()
    )


OLD_CALLS: dict[str, tuple[Any, int]] = {
    "empty parts": (call("message/send", {"message": {**OLD["message"], "parts": []}}), -32602),
    "a part of no kind": (call("message/send", {"message": {**OLD["message"], "parts": [{"kind": "hat"}]}}), -32602),
    "an unknown task": (call("tasks/get", {"id": FOREIGN}), -32001),
    "an unknown task to cancel": (call("tasks/cancel", {"id": FOREIGN}), -32001),
    "webhooks of an unknown task": (call("tasks/pushNotificationConfig/list", {"id": FOREIGN}), -32001),
    "no message": (call("message/send", {}), -32602),
    "a NUL": (call("message/send", {"message": {**OLD["message"], "messageId": "\0"}}), -32602),
    "metadata that is no object": (call("message/send", {**DEPLOYED, "metadata": [["a", "b"]]}), -32602),
    "metadata in a word": (call("message/send", {**DEPLOYED, "metadata": "x", "skill_id": "echo"}), -32602),
}


@pytest.mark.parametrize("name", OLD_CALLS)
def test_a_wrong_call_of_release_0_3_has_its_code(client: httpx.Client, name: str) -> None:
    body, code = OLD_CALLS[name]
    told = client.post("/", json=body, headers={"A2A-Version": ""}).json()
    assert (told["id"], told["error"]["code"]) == (1, code), told
    assert told["error"].keys() == {"code", "message"}


@pytest.mark.parametrize("params", [{}, {"message": {**OLD["message"], "messageId": "\0"}}], ids=["nothing", "a NUL"])
def test_a_stream_of_0_3_is_refused_on_a_stream(client: httpx.Client, params: Any) -> None:
    answer = client.post("/a2a/jsonrpc", json=call("message/stream", params), headers={"A2A-Version": ""})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
    told = json.loads(answer.text.removeprefix("data: "))
    assert (told["id"], told["error"]["code"]) == (1, -32602)


@pytest.mark.parametrize(
    ("version", "code"),
    [("", -32009), ("0.3", -32009), ("1.1", -32009), ("2", -32009), ("99.0", -32009), ("1.0.7", -32001)],
)
def test_a_release_that_is_not_spoken_is_refused(client: httpx.Client, version: str, code: int) -> None:
    body = call("GetTask", {"id": FOREIGN})
    assert client.post("/v1/a2a", json=body, headers={"A2A-Version": version}).json()["error"]["code"] == code
    asked = client.post(f"/v1/a2a?A2A-Version={version}", json=body, headers={"A2A-Version": ""})
    assert asked.json()["error"]["code"] == code


@pytest.mark.parametrize("version", ["", "0.3", "1.0", "99"])
def test_what_is_named_as_in_0_3_is_of_0_3(client: httpx.Client, version: str) -> None:
    answer = client.post("/v1/a2a/", json=call("tasks/get", {"id": FOREIGN}), headers={"A2A-Version": version})
    assert answer.json()["error"]["code"] == -32001


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_of_another_kind_is_refused(client: httpx.Client, kind: str) -> None:
    content = json.dumps(call()).encode()
    answer = client.post("/v1/a2a", content=content, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["id"]) == (415, -32005, None)
    answer = client.post("/a2a/rest/message:send", content=content, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["error"]["details"][0]["reason"]) == (415, "CONTENT_TYPE_NOT_SUPPORTED")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(client: httpx.Client) -> None:
    parts = [{"raw": "A" * 5_000_000, "mediaType": "text/plain"}]
    answer = client.post("/v1/a2a", json=send(parts=parts))
    assert (answer.status_code, answer.json()["error"]["code"]) == (200, -32600)
    assert answer.headers["connection"] == "close"
    answer = client.post("/a2a/rest/message:send", json={"message": {**HELLO["message"], "parts": parts}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, 413)


def test_of_notifications_nobody_answers_any_but_those_that_are_refused(client: httpx.Client) -> None:
    for body, code in (
        ({"jsonrpc": "2.0", "method": "GetTask", "params": {"id": FOREIGN}}, -32001),
        ({"jsonrpc": "2.0", "method": "message/send", "params": {}}, -32602),
        ({"jsonrpc": "2.0", "method": "hat"}, -32601),
        ({"jsonrpc": "2.0"}, -32600),
        ({"jsonrpc": "1.0", "method": "GetTask"}, -32600),
    ):
        answer = client.post("/v1/a2a", json=body)
        assert (answer.status_code, answer.json()["id"], answer.json()["error"]["code"]) == (200, None, code)
    body = {"jsonrpc": "2.0", "method": "ListTasks"}
    answer = client.post("/v1/a2a", json=body)
    assert (answer.status_code, answer.content) == (204, b"")


def test_who_is_nobody_is_refused_by_http(client: httpx.Client) -> None:
    for path in ("/v1/a2a", "/v1/a2a/", "/", "/a2a/jsonrpc", "/a2a/rest/message:send"):
        answer = client.post(path, json=call(), headers={"Authorization": "Bearer nobody"})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_another_agents_task_is_as_good_as_none(client: httpx.Client) -> None:
    ann = {"Authorization": "Bearer token-of-the-agent-ann"}
    meant = {
        "message": {**HELLO["message"], "parts": [{"text": "meant"}]},
        "configuration": {"returnImmediately": True},
    }
    sent = client.post("/v1/a2a", json=call(params=meant)).json()
    theirs = sent["result"]["task"]["id"]
    for method in ("GetTask", "CancelTask", "SubscribeToTask"):
        told = client.post("/v1/a2a", json=call(method, {"id": theirs}), headers=ann).json()["error"]
        assert (told["code"], told["message"]) == (-32001, "Task not found")
    assert client.post("/v1/a2a", json=call("ListTasks", {}), headers=ann).json()["result"]["totalSize"] == 0
    assert client.get(f"/v1/agent/tasks/{theirs}").json()["status"] == "pending"
