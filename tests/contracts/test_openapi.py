"""``contracts/http/openapi.yaml`` is valid, complete, and what a server serves."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from codetether_adapters import memory
from codetether_adapters.http import create_app
from codetether_core.services import RolePolicy, assemble
from tests.http.conformance import every_route
from tests.http.harness import EDITOR, TOKENS, client_of
from tests.http.resources.world import CountingDice, FakeClock

FILE = Path(__file__).parents[2] / "contracts/http/openapi.yaml"


@pytest.fixture(scope="module")
def promised() -> Any:
    """The file."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def operations(promised: Any) -> Iterator[tuple[str, Any]]:
    for path, methods in promised["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_it_is_valid(promised: Any) -> None:
    OpenAPIV31SpecValidator(promised).validate()


async def test_it_is_what_a_server_serves(promised: Any) -> None:
    async with memory.open_backend() as backend:
        services = assemble(backend, FakeClock(), CountingDice())
        settings: Any = {"authenticator": TOKENS, "authorizer": RolePolicy(), "version": version("codetether-hub")}
        app = create_app(services, routes=every_route(services), **settings)
        async with client_of(app, headers=EDITOR) as client:
            assert (await client.get("/openapi.json")).json() == promised


def test_every_operation_says_what_it_is_for_and_what_it_answers(promised: Any) -> None:
    for name, operation in operations(promised):
        assert operation["summary"], name
        assert operation["x-permission"], name
        answers = operation["responses"]
        (status,) = answers.keys() & {"200", "201", "303"}
        assert ("content" in answers[status]) == (status != "303"), name
        for media_type, content in answers[status].get("content", {}).items():
            assert content["schema"], (name, media_type)


def test_every_schema_is_described_and_used(promised: Any) -> None:
    text = FILE.read_text(encoding="utf-8")
    for name, schema in promised["components"]["schemas"].items():
        assert schema.get("description"), name
        assert f"'#/components/schemas/{name}'" in text, name


def test_what_takes_a_key_can_conflict(promised: Any) -> None:
    for name, operation in operations(promised):
        if operation["tags"] == ["a2a"]:
            continue  # which says so in its own words
        if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", ())):
            assert "409" in operation["responses"], name
