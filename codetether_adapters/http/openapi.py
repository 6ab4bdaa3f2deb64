"""The OpenAPI 3.1 description of a table of routes, made from nothing but the table.

What it says is what the routes do: permissions (``x-permission``), bodies and queries from the classes that parse
them, problems from the errors that each kind of route can give, and event streams with their dialect.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final

import attrs
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.problems import TITLES
from codetether_adapters.http.responses import Encoded, encode_json
from codetether_adapters.http.routing import METHODS, Route, Routes
from codetether_adapters.json_schema import Schema, Schemas
from codetether_core.access import LEASE, PUBLIC

__all__ = ["described", "document"]

_PARAMETER: Final = re.compile(r"\{([a-z0-9_]+)(?::path)?\}")
_PROBLEM: Final[Schema] = {
    "type": "object",
    "description": "A refusal (RFC 9457), with the ids that it is about as further members.",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable: match on this."},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "field": {"type": "string", "description": "The dotted path of the member that is wrong."},
        "hint": {"type": "string", "description": "The next step."},
    },
    "additionalProperties": {"type": ["string", "integer"]},
}
_SECURITY_SCHEMES: Final[Schema] = {
    "basic": {"type": "http", "scheme": "basic", "description": "The token as password; the user name is ignored."},
    "bearer": {"type": "http", "scheme": "bearer"},
    "cookieAuth": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-ct_session",
        "description": "A browser's sign-in, by a page of this server: what is no GET shows X-CSRF-Token as well. "
        "The name is __Secure-ct_session below a base path, and ct_session without TLS on the browser's own machine.",
    },
    "lease": {"type": "http", "scheme": "bearer", "description": "The token of a task's lease, while that lasts."},
}


def described(routes: Iterable[Route], *, version: str, base_path: str = "") -> Routes:
    """The table of these routes and of one more, which serves the description of them all."""

    @cache
    def encoded() -> bytes:
        return encode_json(document(table, version=version, base_path=base_path))

    async def describe(call: Call) -> Response:
        return Encoded(encoded())

    summary = "This description"
    table = Routes(
        (
            *routes,
            Route("GET", "/openapi.json", describe, "openapi:read", summary=summary, tag="openapi", answer=_OBJECT),
        )
    )
    return table


def document(routes: Routes, *, version: str, base_path: str = "") -> Schema:
    """The description, in an order that depends on nothing but the table."""
    schemas = Schemas({"Problem": dict(_PROBLEM)})
    paths: dict[str, Schema] = {}
    for route in sorted(routes, key=lambda route: (route.path, METHODS.index(route.method))):
        path = _PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CodeTether",
            "version": version,
            "description": "A self-hosted control plane for AI coding agents. On every route that takes a credential "
            "X-Tenant-ID may name the tenant that the caller means: any but its own is refused (403).",
        },
        "servers": [{"url": base_path or "/"}],
        "security": [{"bearer": []}, {"basic": []}, {"cookieAuth": []}],
        "tags": [{"name": tag} for tag in sorted({route.tag for route in routes if route.tag})],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "responses": {f"Problem{status}": _problem_response(status) for status in TITLES},
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def _operation(route: Route, schemas: Schemas) -> Schema:
    operation: Schema = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "x-permission": route.permission,
    }
    if route.endpoint.__doc__:
        operation["description"] = inspect.cleandoc(route.endpoint.__doc__)
    if route.tag:
        operation["tags"] = [route.tag]
    if route.alias != "agent":
        operation["deprecated"] = True
    if route.permission == PUBLIC:
        operation["security"] = []
    if route.permission == LEASE:
        operation["security"] = [{"lease": []}]
    if parameters := list(_parameters(route, schemas)):
        operation["parameters"] = parameters
    if route.body is not None:
        required = not attrs.has(route.body) or any(needed for _, _, needed in schemas.members(route.body))
        operation["requestBody"] = {
            "required": required,
            "content": {"application/json": {"schema": schemas.of(route.body)}},
        }
    if route.upload:
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {"schema": _BYTES}}}
    operation["responses"] = _responses(route, schemas)
    return operation


def _operation_id(route: Route) -> str:
    """Unique because method and path are: every mark that an identifier cannot have is spelt out."""
    words = _PARAMETER.sub(r"by_\1", route.path).replace("/", ".").replace("-", "_").replace(":", ".")
    return f"{route.method.lower()}{words}" if words != "." else f"{route.method.lower()}.root"


def _parameters(route: Route, schemas: Schemas) -> Iterator[Schema]:
    for name in _PARAMETER.findall(route.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    if route.query is not None:
        for name, schema, required in schemas.members(route.query):
            parameter: Schema = {"name": name, "in": "query", "required": required, "schema": schema}
            if schema.get("type") == "array":
                parameter |= {"style": "form", "explode": False}
            yield parameter
    for header in route.headers:
        yield {
            "name": header.name,
            "in": "header",
            "required": False,
            "description": header.description,
            "schema": {"type": "string"},
        }


def _responses(route: Route, schemas: Schemas) -> dict[str, Schema]:
    return {
        str(route.status): _success(route, schemas),
        **{str(status): _answer(kind, schemas) for status, kind in route.also.items()},
        **{str(status): _refusal(route, status, schemas) for status in sorted(_problems(route))},
    }


def _refusal(route: Route, status: int, schemas: Schemas) -> Schema:
    if route.refusal is None:
        return {"$ref": f"#/components/responses/Problem{status}"}
    problem = _problem_response(status)
    return {**problem, "content": {**problem["content"], **_content(route, schemas.of(route.refusal))}}


def _content(route: Route, schema: Schema) -> Schema:
    return {media_type: {"schema": schema} for media_type in (route.media_type, *route.also_as)}


def _success(route: Route, schemas: Schemas) -> Schema:
    if route.stream is not None:
        content: Schema = {"text/event-stream": {"schema": {"type": "string"}, "x-dialect": route.stream}}
        if route.answer is not None:
            content |= _content(route, schemas.of(route.answer))
        return {"description": f"Server-sent events, dialect {route.stream}", "content": content}
    if route.status in _WITHOUT_BODY:
        return _answer(None, schemas)
    schema = schemas.of(Any if route.answer is None else route.answer)
    return {"description": "Done", "content": _content(route, schema)}


def _answer(kind: Any, schemas: Schemas) -> Schema:
    if kind is None:
        return {"description": "Done"}
    return {"description": "Done", "content": {"application/json": {"schema": schemas.of(kind)}}}


def _problems(route: Route) -> set[int]:
    """The statuses that follow from what the route is, and those that it declares."""
    found = set(route.errors) | {500}
    if route.permission != PUBLIC:
        found |= {401, 403, 429, 503}
    if "{" in route.path:
        found |= {400, 404}
    if route.query is not None or route.body is not None or route.headers:
        found |= {400, 422}
    if route.body is not None or route.upload:
        found |= {408, 413, 415}
    if route.stream is not None:
        found |= {400, 503}
    return found - {route.status, *route.also}


def _problem_response(status: int) -> Schema:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": TITLES[status], "content": content}


_WITHOUT_BODY: Final = (204, 303)
_OBJECT: Final[Schema] = {"type": "object"}
_BYTES: Final[Schema] = {"type": "string", "format": "binary"}
