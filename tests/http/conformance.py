"""Every answer that a test gets is one that the description of the API has.

A hook in the tests' clients: it looks up the operation and validates status, media type and body. Here a member that
is not described is a mistake, though clients have to ignore such.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

import httpx
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.http import Application, Routes, create_app, document
from codetether_adapters.http.resources import all_routes
from codetether_adapters.http.routing import MethodNotAllowed, Route
from codetether_adapters.mcp.run_tools import RunTools
from codetether_adapters.mcp.serving import Endpoint
from codetether_adapters.tokens import StaticTokens
from codetether_apps.settings import Settings
from codetether_apps.wiring.a2a import a2a_routes, card_routes, open_cards
from codetether_apps.wiring.mcp import catalogue_of, mcp_routes, run_routes
from codetether_core.codec import moment, timestamp
from codetether_core.errors import CodeTetherError, NotFound
from codetether_core.ports import Authorizer
from codetether_core.services import RolePolicy, Services

__all__ = ["check", "checked", "description", "every_route", "table"]

DOCUMENT = "urn:codetether:openapi"
PROBLEM = "#/components/schemas/Problem"
FORMATS = FormatChecker(())


@FORMATS.checks("date-time", ValueError)
def _is_moment(value: object) -> bool:
    """Whether it is a moment as we write it: UTC, with microseconds."""
    return not isinstance(value, str) or timestamp(moment(value)) == value


@cache
def table() -> Routes:
    """All routes, as an application has them."""

    async def ping() -> None:
        """A store that is there, and wakes everybody."""

    backend = SimpleNamespace(ping=ping, notifier=SimpleNamespace(ping=ping))
    services = cast(
        Services, SimpleNamespace(backend=backend, clock=SimpleNamespace(now=None), recording=None, tool_using=None)
    )
    routes = every_route(services)
    return create_app(services, authenticator=StaticTokens(()), authorizer=RolePolicy(), routes=routes).routes


def every_route(services: Services, authorizer: Authorizer | None = None) -> tuple[Route, ...]:
    """The routes of the API, and those of A2A and MCP."""
    policy = authorizer or RolePolicy()
    cards = open_cards(Settings(), services, policy)
    agent = Agent(services=services, authorizer=policy, cards=cards)
    catalogue = catalogue_of(Settings(), services, policy)
    mcp = mcp_routes(catalogue, Endpoint.of(catalogue, b"k" * 32), policy)
    runs = run_routes(Endpoint.of_runs(RunTools(services.tool_using)), services.tool_using)
    return (*all_routes(), *a2a_routes(agent), *card_routes(cards), *mcp, *runs)


@cache
def description() -> Any:
    """The description of them, in which objects have no other members than those described."""
    described = document(table(), version="0")
    for schema in described["components"]["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return described


def checked(app: Application) -> dict[str, list[Callable[[httpx.Response], Awaitable[None]]]]:
    """The ``event_hooks`` of a client of this application."""

    async def hook(response: httpx.Response) -> None:
        await response.aread()
        media_type = response.headers.get("content-type", "").partition(";")[0]
        body = response.json() if media_type.endswith("json") and media_type != "application/x-ndjson" else None
        request = response.request
        check(app, request.method, request.url.raw_path.partition(b"?")[0], response.status_code, media_type, body)

    return {"response": [hook]}


def check(app: Application, method: str, path: bytes, status: int, media_type: str, body: Any = None) -> None:
    """Fail unless this is an answer that the description has."""
    if method in ("OPTIONS", "HEAD"):
        return
    try:
        route = app.routes.match(method, path).route
    except (NotFound, MethodNotAllowed, CodeTetherError) as refusal:
        expected = {MethodNotAllowed: 405, NotFound: 404}.get(type(refusal), 400)
        assert (status, media_type) == (expected, "application/problem+json"), (method, path, status)
        _validator(PROBLEM).validate(body)
        return
    schema = _answer(route, status, media_type)
    if body is not None:
        _validator(schema).validate(body)


def _answer(route: Route, status: int, media_type: str) -> str:
    """Where the schema of an answer is."""
    paths = description()["paths"]
    path = route.path.replace(":path}", "}")
    answers = paths[path][route.method.lower()]["responses"]
    where = f"{route.method} {route.path} answers {status} {media_type}"
    assert str(status) in answers, f"{where}, described are {', '.join(answers)}"
    answer = answers[str(status)]
    if "$ref" in answer:
        assert media_type == "application/problem+json", where
        return PROBLEM
    content = answer.get("content", {"": {}})
    media_type = "*/*" if "*/*" in content else media_type
    assert media_type in content, f"{where}, described are {', '.join(content)}"
    return _pointer("paths", path, route.method.lower(), "responses", str(status), "content", media_type, "schema")


def _pointer(*steps: str) -> str:
    return "#/" + "/".join(
        step.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D") for step in steps
    )


@cache
def _validator(pointer: str) -> Draft202012Validator:
    registry: Registry[Any] = Registry().with_resource(DOCUMENT, DRAFT202012.create_resource(description()))
    return Draft202012Validator({"$ref": f"{DOCUMENT}{pointer}"}, registry=registry, format_checker=FORMATS)
