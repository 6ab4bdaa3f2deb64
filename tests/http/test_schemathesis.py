"""Requests made from the description that a real server serves: what it answers is what it describes.

Schemathesis makes valid and invalid ones for every operation of the canonical paths (the other prefixes have the same
handlers); streams are opened elsewhere, and long polls do not wait.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from secrets import token_hex
from typing import Any

import pytest
import requests
import schemathesis
from attrs import define, field, frozen
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from codetether_adapters.http import Route
from codetether_core.access import PUBLIC
from tests.http.conformance import table
from tests.http.server import TOKEN, Server, serving
from tests.servers.identity import running


def _takes_something(route: Route) -> bool:
    """Whether there is anything in a request that could be wrong: headers are any text."""
    return ("{" in route.path and route.permission != PUBLIC) or bool(route.query or route.body)


ROUTES = [route for route in table() if route.alias == "agent" and route.stream is None]
OPERATIONS = [
    *((GenerationMode.POSITIVE, route.method, route.path) for route in ROUTES),
    *((GenerationMode.NEGATIVE, route.method, route.path) for route in ROUTES if _takes_something(route)),
]
_PARAMETER = re.compile(r"([a-z]+)/\{([a-z]+)\}")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 5
_MEMBERS = {"task_id": "tasks", "worker_id": "workers", "codebase_id": "codebases", "agent_id": "agents"}


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
    real = Real(described)
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


@define(eq=False)
class Real:
    """What there is, by the word that comes before it in a path; each is made when it is first asked for."""

    described: Described
    _made: dict[str, str] = field(factory=dict, init=False)

    def __getitem__(self, noun: str) -> str:
        """What goes in the place of the parameter behind ``noun``."""
        if noun not in self._made:
            self._made[noun] = self._make(noun)
        return self._made[noun]

    def _make(self, noun: str) -> str:
        match noun:
            case "codebases":
                return str(self._post("/v1/agent/codebases", name="demo", path="/srv/demo")["id"])
            case "tasks":
                return self._held_task()
            case "approvals":
                asked = self._post(f"/v1/agent/tasks/{self['tasks']}/ask", prompt="?", worker_id="w1")
                return str(asked["approval"]["id"])
            case "workers" | "connected":
                self._post("/v1/agent/workers/register", codebases=[self["codebases"]], worker_id="w1", name="one")
                return "w1"
            case "sessions":
                id = f"s{token_hex(4)}"  # one that was erased does not come back
                self._post(f"/v1/agent/codebases/{self['codebases']}/sessions/{id}/ingest", messages=[{"id": "m1"}])
                return id
            case "agents":
                self._post("/v1/agent/agents", name="reviewer")
                return "reviewer"
            case "artifacts":
                self._put(f"/v1/agent/tasks/{self['tasks']}/artifacts/notes.txt", data=b"notes")
                return "notes.txt"
            case "blobs":
                self._make("artifacts")
                return sha256(b"notes").hexdigest()
            case "accounts":
                account = {"name": token_hex(4), "password": "correct horse", "roles": ["viewer"]}
                return str(self._post("/v1/auth/accounts", **account)["name"])
            case "secrets":
                self._put("/v1/secrets/ci", json={"value": "0123456789"})
                return "ci"
            case "keys":
                return str(self._post("/v1/auth/keys", name="ci")["id"])
            case "letters":
                return "whk_1"
            case "servers":
                return "issues"
            case "resource":
                return "mcp/v1/rpc"
            case "messages":
                return str(self._post("/v1/agent/messages", to=self["agents"], body="b")["message"]["id"])
        raise KeyError(noun)

    def _held_task(self) -> str:
        task = str(self._post("/v1/agent/tasks", prompt="p", codebase_id=self["codebases"])["id"])
        self._post("/v1/worker/tasks/claim", worker_id=self["workers"], task_id=task)
        return task

    def _post(self, path: str, /, **body: Any) -> Any:
        answer = self.described.session.post(self.described.server.url + path, json=body, timeout=10)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def _put(self, path: str, /, **body: Any) -> None:
        url, worker = self.described.server.url + path, {"X-Worker-ID": "w1"}
        answer = self.described.session.put(url, headers=worker, timeout=10, **body)
        assert answer.status_code == 200, answer.text


def _put(case: Any, real: Real) -> None:
    """Let a request be about what there is: valid ones would be refused as unknown else, and show little."""
    for noun, name in _PARAMETER.findall(case.operation.path):
        case.path_parameters[name] = real[noun]
    if isinstance(case.body, dict) and "message" in case.body and case.operation.path.startswith("/a2a/"):
        case.body["configuration"] = {"returnImmediately": True}
    if isinstance(case.body, dict):
        case.body |= {member: real[noun] for member, noun in _MEMBERS.items() if member in case.body}
