"""The description of the API is made from its routes, is valid, and says what they do."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

import pytest
from attrs import Factory, field, frozen
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from codetether_adapters.http import Alias, Call, Encoded, Header, Json, Route, Routes, document, encode_json, expand
from codetether_adapters.json_schema import Schemas
from codetether_core.access import PUBLIC
from codetether_core.ids import TaskId
from codetether_core.tasks import Task, TaskSpec
from tests.http.harness import EDITOR, application, client_of


class Mood(StrEnum):
    """How somebody is."""

    GOOD = "good"
    BAD = "bad"


@frozen
class Leaf:
    """The end of a branch."""

    name: str


@frozen(kw_only=True)
class Tree:
    """Grows.

    Slowly.
    """

    task: TaskId
    leaves: tuple[Leaf, ...] = ()
    left: "Tree | None" = None
    moods: frozenset[Mood] = frozenset()
    mood: Mood = Mood.GOOD
    at: datetime | None = None
    ttl: timedelta | None = None
    count: int = field(default=3, metadata={"description": "How many."})
    ratio: float | None = None
    flag: bool = True
    anything: Any = None
    labels: Mapping[str, str] = Factory(dict)
    metadata: Mapping[str, Any] = Factory(dict)
    mode: Literal["a", "b"] = "a"
    either: int | str = 1


@frozen
class Wanted:
    """Which trees."""

    codebase: str
    states: tuple[Mood, ...] = ()
    limit: int = 10


async def handler(call: Call) -> Json:
    """Says hello.

    Twice.
    """
    return Json({})


SINCE = Header("Last-Event-ID", "Where to go on.")
ROUTES = [
    Route("POST", "/v1/agent/trees/{id}", handler, "trees:write", summary="Grow", tag="trees", body=Tree, answer=Tree),
    Route("GET", "/v1/agent/trees", handler, "trees:read", summary="List", tag="trees", query=Wanted, errors=(409,)),
    Route(
        "GET",
        "/v1/agent/trees/{id}/events",
        handler,
        "trees:read",
        summary="Watch",
        stream="canonical",
        headers=(SINCE,),
    ),
    Route("GET", "/files/{name:path}", handler, PUBLIC, summary="File", answer={"type": "string"}),
    Route("POST", "/v1/agent/trees/{id}:fell", handler, "trees:write", status=204, body=Leaf),
    Route("GET", "/", handler, PUBLIC),
]


def described(*routes: Route) -> Any:
    return document(Routes(routes or ROUTES), version="1")


def test_the_description_is_valid_openapi() -> None:
    for routes in (ROUTES, expand(ROUTES, [Alias("opencode", "/v1/agent", "/v1/opencode")])):
        OpenAPIV31SpecValidator(described(*routes)).validate()


def test_the_description_depends_on_the_routes_and_not_on_their_order() -> None:
    assert encode_json(described(*ROUTES)) == encode_json(described(*reversed(ROUTES)))


def test_an_operation_says_what_its_route_does() -> None:
    grow = described()["paths"]["/v1/agent/trees/{id}"]["post"]
    assert grow["operationId"] == "post.v1.agent.trees.by_id"
    assert grow["summary"] == "Grow"
    assert grow["description"] == "Says hello.\n\nTwice."
    assert grow["tags"] == ["trees"]
    assert grow["x-permission"] == "trees:write"
    assert grow["parameters"] == [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
    assert grow["requestBody"] == {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}},
    }
    assert grow["responses"]["200"]["content"] == grow["requestBody"]["content"]
    assert list(grow["responses"]) == [
        "200",
        "400",
        "401",
        "403",
        "404",
        "408",
        "413",
        "415",
        "422",
        "429",
        "500",
        "503",
    ]
    assert grow["responses"]["401"] == {"$ref": "#/components/responses/Problem401"}
    assert "security" not in grow


def test_a_query_is_described_member_by_member() -> None:
    listing = described()["paths"]["/v1/agent/trees"]["get"]
    codebase, states, limit = listing["parameters"]
    assert codebase == {"name": "codebase", "in": "query", "required": True, "schema": {"type": "string"}}
    assert (states["explode"], states["schema"]["items"]) == (False, {"$ref": "#/components/schemas/Mood"})
    assert limit["schema"] == {"type": "integer", "default": 10}
    assert "409" in listing["responses"]


def test_a_stream_is_described_as_one() -> None:
    watch = described()["paths"]["/v1/agent/trees/{id}/events"]["get"]
    assert watch["responses"]["200"]["content"] == {
        "text/event-stream": {"schema": {"type": "string"}, "x-dialect": "canonical"}
    }
    assert [parameter["name"] for parameter in watch["parameters"]] == ["id", "Last-Event-ID"]
    assert watch["parameters"][1] == {
        "name": "Last-Event-ID",
        "in": "header",
        "required": False,
        "description": "Where to go on.",
        "schema": {"type": "string"},
    }


def test_answers_of_other_media_types_and_statuses_are_described() -> None:
    table = Route("GET", "/t", handler, PUBLIC, answer={"type": "string"}, media_type="text/csv")
    ready = Route("GET", "/r", handler, PUBLIC, answer=Leaf, also={503: Leaf, 202: None}, errors=(503,))
    paths = described(table, ready)["paths"]
    assert paths["/t"]["get"]["responses"]["200"]["content"] == {"text/csv": {"schema": {"type": "string"}}}
    leaf = {"application/json": {"schema": {"$ref": "#/components/schemas/Leaf"}}}
    answers = paths["/r"]["get"]["responses"]
    assert [answers[status].get("content") for status in ("200", "202", "503")] == [leaf, None, leaf]


def test_public_routes_and_aliases_are_marked() -> None:
    paths = described(*expand(ROUTES, [Alias("opencode", "/v1/agent", "/v1/opencode")]))["paths"]
    assert paths["/files/{name}"]["get"]["security"] == []
    assert not {"401", "403"} & set(paths["/files/{name}"]["get"]["responses"])
    assert paths["/files/{name}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] == {
        "type": "string"
    }
    assert paths["/v1/opencode/trees"]["get"]["deprecated"] is True
    assert "deprecated" not in paths["/v1/agent/trees"]["get"]
    assert "content" not in paths["/v1/agent/trees/{id}:fell"]["post"]["responses"]["204"]


def test_classes_become_components() -> None:
    schemas = described()["components"]["schemas"]
    assert schemas["Leaf"] == {
        "description": "The end of a branch.",
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}},
    }
    assert schemas["Mood"] == {"description": "How somebody is.", "type": "string", "enum": ["good", "bad"]}
    assert schemas["Tree"]["description"] == "Grows.\n\nSlowly."
    assert schemas["Tree"]["required"] == ["task"]
    assert schemas["Tree"]["properties"] == {
        "task": {"type": "string"},
        "leaves": {"type": "array", "items": {"$ref": "#/components/schemas/Leaf"}, "default": []},
        "left": {"anyOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]},
        "moods": {"type": "array", "items": {"$ref": "#/components/schemas/Mood"}, "default": []},
        "mood": {"$ref": "#/components/schemas/Mood", "default": "good"},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "ttl": {"type": ["integer", "null"], "description": "Microseconds"},
        "count": {"type": "integer", "description": "How many.", "default": 3},
        "ratio": {"type": ["number", "null"]},
        "flag": {"type": "boolean", "default": True},
        "anything": {},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "metadata": {"type": "object"},
        "mode": {"enum": ["a", "b"], "default": "a"},
        "either": {"anyOf": [{"type": "integer"}, {"type": "string"}], "default": 1},
    }


def test_what_the_codec_dumps_fits_the_schema() -> None:
    schemas = Schemas()
    schema = {**schemas.of(Tree), "components": {"schemas": schemas.components}}
    tree = Tree(task=TaskId("t"), leaves=(Leaf("a"),), left=Tree(task=TaskId("u")), at=datetime(2026, 1, 1))  # noqa: DTZ001
    validator = Draft202012Validator(schema)
    validator.validate(json.loads(encode_json(tree)))
    assert not validator.is_valid({"task": 5})
    assert not validator.is_valid({"task": "t", "mood": "so-so"})


def test_the_domains_own_values_can_be_described() -> None:
    schemas = Schemas()
    schemas.of(Task)
    assert {"Task", "TaskSpec", "TaskState", "Grant", "Attempt"} <= set(schemas.components)
    assert schemas.of(TaskSpec) == {"$ref": "#/components/schemas/TaskSpec"}


def test_two_classes_of_one_name_are_told_apart() -> None:
    first = type("Same", (), {"__annotations__": {"a": str}, "__module__": "x.first"})
    second = type("Same", (), {"__annotations__": {"b": str}, "__module__": "x.second"})
    schemas = Schemas()
    assert schemas.of(frozen(first)) == {"$ref": "#/components/schemas/Same"}
    assert schemas.of(frozen(second)) == {"$ref": "#/components/schemas/second.Same"}
    third = type("Same", (), {"__annotations__": {"c": str}, "__module__": "y.second"})
    with pytest.raises(TypeError, match="two classes"):
        schemas.of(frozen(third))


def test_what_json_has_nothing_for_is_refused() -> None:
    with pytest.raises(TypeError, match="no JSON schema"):
        Schemas().of(complex)


async def test_the_description_is_served_to_whoever_may_read() -> None:
    app = application(*ROUTES[:2], version="1.2.3", base_path="/hub")
    async with client_of(app) as client:
        assert (await client.get("/openapi.json")).status_code == 401
        answer = await client.get("/openapi.json", headers=EDITOR)
        served = answer.json()
        OpenAPIV31SpecValidator(served).validate()
        assert served == document(app.routes, version="1.2.3", base_path="/hub")
        assert served["info"]["version"] == "1.2.3"
        assert served["servers"] == [{"url": "/hub"}]
        assert {"/openapi.json", "/health", "/readyz", "/livez", "/startupz", "/version"} <= set(served["paths"])
        assert served["paths"]["/openapi.json"]["get"]["x-permission"] == "openapi:read"


def test_an_encoded_answer_is_sent_as_it_is() -> None:
    assert Encoded(b"{}", 202).raw_headers == [(b"content-length", b"2"), (b"content-type", b"application/json")]
