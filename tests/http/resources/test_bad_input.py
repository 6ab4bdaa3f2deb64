"""Nothing wrong that anybody sends changes anything, and the answer says what was wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.http.resources.harness import Api

P = "/v1/agent"
W = "/v1/worker"

BODIES = [
    ("POST", f"{P}/tasks"),
    ("POST", f"{P}/codebases/{{codebase}}/tasks"),
    ("POST", f"{P}/codebases"),
    ("POST", f"{P}/codebases/{{codebase}}/trigger"),
    ("POST", f"{P}/codebases/{{codebase}}/message"),
    ("PUT", f"{P}/tasks/{{task}}/status"),
    ("POST", f"{P}/tasks/{{task}}/output"),
    ("POST", f"{P}/tasks/{{task}}/ask"),
    ("POST", f"{P}/tasks/{{task}}/answer"),
    ("POST", f"{W}/tasks/claim"),
    ("POST", f"{W}/tasks/renew"),
    ("POST", f"{W}/tasks/release"),
    ("POST", f"{W}/tasks/stopped"),
    ("PUT", f"{W}/codebases"),
]
RAW = [
    (b'{"prompt": "x"', "json_malformed"),
    (b"[1, 2", "json_malformed"),
    (b"nonsense", "json_malformed"),
    (b'{"a": NaN}', "json_malformed"),
    (b'{"prompt": "\xff\xfe"}', "json_malformed"),
    (b'{"prompt": "\\ud800"}', "json_malformed"),
    (b'{"prompt": "a\\u0000b"}', "invalid_request"),
    (b'{"prompt\\u0000": "x"}', "invalid_request"),
    (b'{"metadata": ' + b"[" * 200 + b"]" * 200 + b"}", "json_too_deep"),
    (b"[" * 100_000, "json_malformed"),
    (b"[]", "invalid_request"),
    (b'"text"', "invalid_request"),
    (b"null", "invalid_request"),
]


async def state(api: Api) -> Any:
    """Everything there is."""
    head = await api.services.backend.log.head()
    tasks = await api.alice.ok("GET", f"{P}/tasks?limit=500")
    return str(head), tasks, await api.alice.ok("GET", f"{P}/codebases")


async def held(api: Api) -> tuple[str, str]:
    """A codebase and a running task."""
    codebase = await api.codebase()
    id = (await api.task(codebase_id=codebase))["id"]
    await api.claimed(id)
    return codebase, id


@pytest.mark.parametrize(("method", "path"), BODIES)
async def test_what_is_no_json_object_is_refused(api: Api, method: str, path: str) -> None:
    codebase, task = await held(api)
    before = await state(api)
    for content, code in RAW:
        where = path.format(codebase=codebase, task=task)
        problem = await api.deployed.refused(problem_status(code), method, where, content=content)
        assert problem["code"] == code, content[:40]
        assert problem["detail"]
    large = await api.deployed.refused(413, method, path.format(codebase=codebase, task=task), content=b" " * 5_000_000)
    assert large["limit"] == 4 * 1024 * 1024
    assert await state(api) == before


def problem_status(code: str) -> int:
    return 422 if code == "invalid_request" else 400


WRONG: list[tuple[str, str, Any, str]] = [
    ("POST", f"{P}/tasks", {}, "prompt"),
    ("POST", f"{P}/tasks", {"prompt": 1}, "prompt"),
    ("POST", f"{P}/tasks", {"prompt": ""}, "prompt"),
    ("POST", f"{P}/tasks", {"prompt": "p", "priority": "5"}, "priority"),
    ("POST", f"{P}/tasks", {"prompt": "p", "priority": True}, "priority"),
    ("POST", f"{P}/tasks", {"prompt": "p", "priority": 2**40}, "priority"),
    ("POST", f"{P}/tasks", {"prompt": "p", "max_attempts": 0}, "max_attempts"),
    ("POST", f"{P}/tasks", {"prompt": "p", "max_attempts": 101}, "max_attempts"),
    ("POST", f"{P}/tasks", {"prompt": "p", "run_timeout_seconds": -1}, "run_timeout_seconds"),
    ("POST", f"{P}/tasks", {"prompt": "p", "run_timeout_seconds": 1e308}, "run_timeout_seconds"),
    ("POST", f"{P}/tasks", {"prompt": "p", "start_by": "soon"}, "start_by"),
    ("POST", f"{P}/tasks", {"prompt": "p", "metadata": []}, "metadata"),
    ("POST", f"{P}/tasks", {"prompt": "p", "metadata": {"target_worker_id": 1}}, "metadata.target_worker_id"),
    ("POST", f"{P}/tasks", {"prompt": "p", "required_capabilities": ["a", 1]}, "required_capabilities.1"),
    ("POST", f"{P}/codebases", {"path": "/x"}, "name"),
    ("POST", f"{P}/codebases", {"name": "n", "path": ""}, "path"),
    ("POST", f"{P}/codebases/{{codebase}}/trigger", {"prompt": "p", "files": "x"}, "files"),
    ("POST", f"{P}/codebases/{{codebase}}/message", {"message": ""}, "message"),
    ("POST", f"{P}/codebases/{{codebase}}/watch/start", {"interval": 0}, "interval"),
    ("PUT", f"{P}/tasks/{{task}}/status", {"worker_id": "w1"}, "status"),
    ("PUT", f"{P}/tasks/{{task}}/status", {"status": "completed"}, "worker_id"),
    ("PUT", f"{P}/tasks/{{task}}/status", {"status": "running", "worker_id": 7}, "worker_id"),
    ("PUT", f"{P}/tasks/{{task}}/status", {"status": "input_required", "worker_id": "w1"}, "status"),
    (
        "PUT",
        f"{P}/tasks/{{task}}/status",
        {"status": "completed", "worker_id": "w1", "outputs": [{"output": 1}]},
        "outputs.0.output",
    ),
    ("POST", f"{P}/tasks/{{task}}/output", {"worker_id": "w1"}, "output"),
    ("POST", f"{P}/tasks/{{task}}/output", {"worker_id": "w1", "output": "a", "outputs": []}, "output"),
    ("POST", f"{P}/tasks/{{task}}/output", {"worker_id": "w1", "output": "a", "first": -1}, "first"),
    ("POST", f"{P}/tasks/{{task}}/output", {"worker_id": "w1", "output": "a", "timestamp": "x"}, "timestamp"),
    ("POST", f"{P}/tasks/{{task}}/ask", {"worker_id": "w1"}, "prompt"),
    ("POST", f"{P}/tasks/{{task}}/ask", {"worker_id": "w1", "prompt": "?", "kind": "riddle"}, "kind"),
    ("POST", f"{P}/tasks/{{task}}/ask", {"worker_id": "w1", "prompt": "?", "timeout_seconds": 0}, "timeout_seconds"),
    ("POST", f"{W}/tasks/claim", {"worker_id": "w1"}, "task_id"),
    ("POST", f"{W}/tasks/claim", {"task_id": "{task}"}, "worker_id"),
    ("PUT", f"{W}/codebases?worker_id=w1", {}, "codebases"),
    ("GET", f"{P}/tasks?limit=0", None, "limit"),
    ("GET", f"{P}/tasks?limit=x", None, "limit"),
    ("GET", f"{P}/tasks?offset=-1", None, "offset"),
    ("GET", f"{P}/tasks?order=random", None, "order"),
    ("GET", f"{P}/tasks/stuck?timeout_seconds=-1", None, "timeout_seconds"),
    ("GET", f"{P}/approvals?status=maybe", None, "status"),
    ("GET", f"{P}/tasks/{{task}}/output?limit=0", None, "limit"),
]


async def test_what_is_missing_or_of_the_wrong_kind_is_named(api: Api) -> None:
    codebase, task = await held(api)
    before = await state(api)
    for method, path, body, field in WRONG:
        where = path.format(codebase=codebase, task=task)
        problem = await api.deployed.refused(422, method, where, body)
        assert problem["field"] == field, (path, body, problem)
    for path in (f"{P}/tasks/{task}/status", f"{W}/tasks/release"):
        method = "PUT" if path.endswith("status") else "POST"
        body = {"status": "assigned", "worker_id": "w1", "task_id": task}
        problem = await api.deployed.refused(400, method, path, body)
        assert (problem["field"], problem["code"]) == ("status", "unknown_status")
    assert (await api.deployed.refused(400, "GET", f"{P}/tasks?status=nope"))["field"] == "status"
    assert await state(api) == before


async def test_the_unknown_is_not_found(api: Api) -> None:
    await held(api)
    before = await state(api)
    say = {"worker_id": "w1", "task_id": "tsk_0", "output": "x", "status": "running", "prompt": "?", "text": "x"}
    for method, path in (
        *(("GET", f"{P}/tasks/tsk_0{rest}") for rest in ("", "/explain", "/output", "/events", "/output/stream")),
        *(("POST", f"{P}/tasks/tsk_0/{rest}") for rest in ("cancel", "requeue", "retry", "review")),
        *(("POST", f"{P}/tasks/tsk_0/{rest}") for rest in ("output", "ask", "answer")),
        ("PUT", f"{P}/tasks/tsk_0/status"),
        *(("POST", f"{W}/tasks/{rest}") for rest in ("claim", "renew", "heartbeat", "release", "stopped")),
        ("GET", f"{P}/approvals/apr_0"),
        ("POST", f"{P}/approvals/apr_0/answer"),
        *(("GET", f"{P}/codebases/cbs_0{rest}") for rest in ("", "/status", "/tasks", "/events", "/watch/status")),
        ("POST", f"{P}/codebases/cbs_0/tasks"),
        ("POST", f"{P}/codebases/cbs_0/watch/start"),
        ("DELETE", f"{P}/codebases/cbs_0"),
        ("POST", f"{P}/codebases/cbs_0/trigger"),
        ("GET", f"{W}/connected/w0"),
    ):
        problem = await api.deployed.refused(404, method, path, say if method in ("POST", "PUT") else None)
        assert problem["code"].endswith("_not_found"), path
    await api.deployed.refused(404, "POST", f"{P}/codebases/cbs_0/message", {"message": "x"})
    await api.deployed.refused(404, "POST", f"{P}/tasks", {"prompt": "p", "codebase_id": "cbs_0"})
    assert await state(api) == before


async def test_words_under_a_wrong_lease_are_refused(api: Api) -> None:
    _, task = await held(api)
    foreign = (await api.task())["id"]
    stolen = (await api.claimed(foreign, "w2"))["lease"]["token"]
    before = await state(api)
    for token, code in ((None, "lease_required"), (stolen, "stale_lease"), ("x", "stale_lease"), ("1.", "stale_lease")):
        word: dict[str, Any] = {"worker_id": "w1", "lease_token": token, "task_id": task}
        for method, path, body in (
            *(
                ("PUT", f"{P}/tasks/{task}/status", {"status": each})
                for each in ("running", "completed", "failed", "pending")
            ),
            ("POST", f"{P}/tasks/{task}/output", {"output": "x"}),
            ("POST", f"{P}/tasks/{task}/ask", {"prompt": "?"}),
            ("POST", f"{W}/tasks/renew", {}),
            ("POST", f"{W}/tasks/release", {}),
        ):
            problem = await api.bot.refused(409, method, path, body | word)
            assert problem["code"] == code, (path, body, token)
    assert await state(api) == before


async def test_nobody_does_what_their_role_does_not_allow(api: Api) -> None:
    codebase, task = await held(api)
    before = await state(api)
    for who, method, path in (
        (api.eve, "POST", f"{P}/tasks"),
        (api.eve, "POST", f"{P}/tasks/{task}/cancel"),
        (api.eve, "POST", f"{W}/tasks/claim"),
        (api.eve, "POST", f"{P}/codebases"),
        (api.bot, "POST", f"{P}/tasks"),
        (api.bot, "POST", f"{P}/tasks/{task}/answer"),
        (api.bot, "POST", f"{P}/codebases/{codebase}/stop"),
        (api.bot, "POST", f"{P}/tasks/{task}/cancel"),
    ):
        await who.refused(403, method, path, {"prompt": "p"})
    assert (await api.client.get(f"{P}/tasks")).status_code == 401
    assert await state(api) == before


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = (
    *("prompt", "title", "priority", "metadata", "model", "model_ref", "status", "worker_id", "task_id", "outputs"),
    *("output", "first", "lease", "options", "kind", "timeout_seconds", "name", "path", "codebases", "choice", "text"),
    *("required_capabilities", "max_attempts", "run_timeout_seconds", "start_by", "event", "timestamp", "codebase_id"),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    request=st.sampled_from(BODIES),
    body=st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=6),
    prompt=st.none() | st.text(max_size=5),
)
async def test_no_json_makes_an_internal_error(
    api: Api, request: tuple[str, str], body: dict[str, Any], prompt: str | None
) -> None:
    codebases = await api.alice.ok("GET", f"{P}/codebases")
    codebase = codebases[0]["id"] if codebases else await api.codebase()
    method, path = request
    if prompt is not None:
        body = {"prompt": prompt, "worker_id": "w1", **body}
    try:
        content = json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        content = json.dumps(body).encode()
    where = path.format(codebase=codebase, task="tsk_0")
    answer = await api.deployed(method, where, content=content)
    assert answer.status_code < 500, (method, path, body, answer.text)
