"""Whatever servers say of their tools, and whatever these answer: what is handed on is what the protocol knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from attrs import Factory, frozen
from hypothesis import given
from hypothesis import strategies as st
from mcp_types.methods import SERVER_RESULTS, serialize_server_result

from codetether_adapters.mcp.caller import Caller, Exchange, Held
from codetether_adapters.mcp.run_tools import RunTools
from codetether_adapters.mcp_servers.reading import answer_of, tools_in
from codetether_adapters.system import SystemClock
from codetether_core.access import Principal
from codetether_core.audit import Actor
from codetether_core.errors import Invalid
from codetether_core.ids import TaskId, WorkerId
from codetether_core.ports import Clock
from codetether_core.services import Offering, ToolUsing
from codetether_core.tasks import Word
from codetether_core.tool_servers import OfferedTool, ToolAnswer
from tests.mcp_servers.far import server_at

pytestmark = pytest.mark.anyio

SERVER = server_at("https://tools.example/mcp")
RUN = Exchange(
    Caller(
        principal=Principal(name="bot"),
        holds=Held(TaskId("t1"), Word(worker=WorkerId("w1"), principal="bot", token="1.0"), Actor(name="bot")),
    )
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(0, 2) | st.sampled_from(["", "user", "x"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "type"]), inner, max_size=2),
    max_leaves=4,
)


def objects(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """With each of the members as it should be, as it should not be, or not at all."""
    return st.fixed_dictionaries({}, optional={name: each | ANYTHING for name, each in members.items()})


WORDS = st.just("words")
SCHEMAS = objects(
    type=st.just("object"),
    properties=st.dictionaries(WORDS, st.just({"type": "string"}) | ANYTHING),
    required=st.lists(WORDS | ANYTHING, max_size=2),
    **{"$schema": WORDS},
)
HINTS = objects(
    title=WORDS, readOnlyHint=st.booleans(), destructiveHint=st.booleans(), idempotentHint=st.booleans(), more=WORDS
)
TOOLS = objects(
    name=st.just("it"), title=WORDS, description=WORDS, inputSchema=SCHEMAS, outputSchema=SCHEMAS, annotations=HINTS
)
RESOURCES = objects(uri=WORDS, text=WORDS, blob=WORDS, mimeType=WORDS, _meta=st.just({"a": 1}))
BLOCKS = objects(
    type=st.sampled_from(["text", "image", "audio", "resource", "resource_link", "tool_use"]),
    text=WORDS,
    data=WORDS,
    mimeType=WORDS,
    uri=WORDS,
    name=WORDS,
    title=WORDS,
    size=st.integers(),
    resource=RESOURCES,
    annotations=objects(audience=st.just(["user"]), priority=st.floats(0, 1), lastModified=WORDS),
    icons=ANYTHING,
    _meta=st.just({"a": 1}),
)
ANSWERS = objects(content=st.lists(BLOCKS, max_size=2), structuredContent=st.just({"a": 1}), isError=st.booleans())


@frozen
class Using:
    """The use of what was read (a ``ToolUsing``)."""

    tools: Sequence[OfferedTool] = ()
    answer: ToolAnswer | None = None
    clock: Clock = Factory(SystemClock)

    async def offered(self, *asked: Any) -> Offering:
        return Offering([(SERVER, tool) for tool in self.tools], {})

    async def use(self, *asked: Any, **more: Any) -> ToolAnswer | None:
        return self.answer


def handed_on(method: str, result: Mapping[str, Any]) -> list[Any]:
    """What clients of each revision are told; the protocol's library refuses to tell them what is against it."""
    versions = [version for known, version in SERVER_RESULTS if known == method]
    assert len(versions) > 4
    return [serialize_server_result(method, version, dict(result)) for version in versions]


@given(st.lists(TOOLS, max_size=3))
async def test_no_tool_takes_the_others_from_a_run(told: list[Any]) -> None:
    good = {"name": "good", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}}
    tools = [*tools_in({"tools": [*told, good]})]
    listed = await RunTools(cast(ToolUsing, Using(tools))).list(RUN, None)
    for result in handed_on("tools/list", listed):
        assert result["tools"][-1]["name"] == "far__good"
        assert result["tools"][-1]["annotations"] == {"readOnlyHint": True}


@given(ANSWERS)
async def test_an_answer_can_be_told_to_every_client_or_is_none(told: Mapping[str, Any]) -> None:
    try:
        answer = answer_of(told)
    except Invalid as error:
        assert "no result of a tool" in error.message
        return
    result = await RunTools(cast(ToolUsing, Using(answer=answer))).call(RUN, "far__it", {})
    handed_on("tools/call", result)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "text", "text": "x", "annotations": {"audience": ["user"], "priority": 1, "lastModified": "2026"}},
        {"type": "image", "data": "eA==", "mimeType": "image/png", "_meta": {"a": {"b": [1]}}},
        {"type": "audio", "data": "eA==", "mimeType": "audio/wav"},
        {"type": "resource_link", "uri": "file:///x", "name": "x", "title": "X", "description": "d", "size": 3},
        {"type": "resource", "resource": {"uri": "file:///x", "text": "x", "mimeType": "text/plain", "_meta": {}}},
        {"type": "resource", "resource": {"uri": "file:///x", "blob": "eA=="}},
    ],
)
def test_what_is_as_it_has_to_be_is_handed_on_as_it_is(block: dict[str, Any]) -> None:
    assert [*answer_of({"content": [block]}).content] == [block]
    for told in handed_on("tools/call", {"content": [block], "isError": False, "resultType": "complete"}):
        assert told["content"] == [block]
