"""Requests made from the description that a real server serves: what it answers is what it describes.

Schemathesis makes valid and invalid ones for every operation of the canonical paths (the other prefixes have the same
handlers); streams are opened elsewhere, and long polls do not wait.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from secrets import token_hex
from typing import Any

import pytest
import requests
import schemathesis
from attrs import frozen
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from codetether_adapters.http import Route
from tests.http.conformance import table
from tests.http.server import TOKEN, Server, serving
from tests.servers.identity import running


def _takes_something(route: Route) -> bool:
    """Whether there is anything in a request that could be wrong."""
    return "{" in route.path or bool(route.headers or route.query or route.body)


ROUTES = [route for route in table() if route.alias == "agent" and route.stream is None]
OPERATIONS = [
    *((GenerationMode.POSITIVE, route.method, route.path) for route in ROUTES),
    *((GenerationMode.NEGATIVE, route.method, route.path) for route in ROUTES if _takes_something(route)),
]
_PARAMETER = re.compile(r"([a-z]+)/\{([a-z]+)\}")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 5


@frozen
class Described:
    """A server, what it says of itself, and a connection to it."""

    server: Server
    schema: Any
    session: requests.Session


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    directory = tmp_path_factory.mktemp("schemathesis")
    with (
        running(directory) as provider,
        serving(directory, {"CODETETHER_OIDC_ISSUER": provider.issuer}) as server,
        requests.Session() as session,
    ):
        session.headers["Authorization"] = f"Bearer {TOKEN}"
        schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json", headers=dict(session.headers))
        yield Described(server, schema, session)
        assert TOKEN not in server.program.said


@pytest.mark.parametrize(("mode", "method", "path"), OPERATIONS)
def test_what_is_answered_is_described(described: Described, mode: GenerationMode, method: str, path: str) -> None:
    real = _real(described)
    operation = described.schema[path.replace(":path}", "}")][method]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    def ask(case: Any) -> None:
        if mode is GenerationMode.POSITIVE:
            _put(case, real)
        if "wait" in (case.query or {}):
            case.query["wait"] = 0
        response = case.call(
            base_url=described.server.url, session=described.session, timeout=10, allow_redirects=False
        )
        case.validate_response(response, checks=CHECKS)

    ask()


def _real(described: Described) -> Mapping[str, str]:
    """A held task and what belongs to it, as path parameters by what comes before them."""

    def post(path: str, /, **body: Any) -> Any:
        answer = described.session.post(described.server.url + path, json=body, timeout=10)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    codebase = post("/v1/agent/codebases", name="demo", path="/srv/demo")["id"]
    task = post("/v1/agent/tasks", prompt="p", codebase_id=codebase)["id"]
    holder = {"worker_id": "w1", "name": "one", "task_id": task}
    post("/v1/agent/workers/register", codebases=[codebase], **holder)
    post("/v1/worker/tasks/claim", **holder)
    post(f"/v1/agent/codebases/{codebase}/sessions/s1/ingest", messages=[{"id": "m1"}])
    post("/v1/agent/agents", name="reviewer")
    file = f"{described.server.url}/v1/agent/tasks/{task}/artifacts/notes.txt"
    assert described.session.put(file, data=b"notes", headers={"X-Worker-ID": "w1"}, timeout=10).status_code == 200
    return {
        "codebases": codebase,
        "tasks": task,
        "approvals": post(f"/v1/agent/tasks/{task}/ask", prompt="?", **holder)["approval"]["id"],
        "workers": "w1",
        "connected": "w1",
        "sessions": "s1",
        "agents": "reviewer",
        "artifacts": "notes.txt",
        "accounts": post("/v1/auth/accounts", name=token_hex(4), password="correct horse", roles=["viewer"])["name"],
        "secrets": _secret(described),
        "keys": post("/v1/auth/keys", name="ci")["id"],
        "blobs": sha256(b"notes").hexdigest(),
        "messages": post("/v1/agent/messages", to="reviewer", body="b")["message"]["id"],
    }


def _secret(described: Described) -> str:
    """The name of one."""
    url = f"{described.server.url}/v1/secrets/ci"
    assert described.session.put(url, json={"value": "0123456789"}, timeout=10).status_code == 200
    return "ci"


def _put(case: Any, real: Mapping[str, str]) -> None:
    """Let a request be about what there is: valid ones would be refused as unknown else, and show little."""
    for noun, name in _PARAMETER.findall(case.operation.path):
        case.path_parameters[name] = real[noun]
    if isinstance(case.body, dict):
        case.body |= {name: value for name, value in _members(real).items() if name in case.body}


def _members(real: Mapping[str, str]) -> Mapping[str, str]:
    return {"task_id": real["tasks"], "worker_id": "w1", "codebase_id": real["codebases"], "agent_id": "reviewer"}
