"""What an agent wants to be told: a form of any shape, a page to visit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.agents.acp.asking import Requests
from codetether_adapters.agents.acp.elicitations import blanks_of
from codetether_adapters.agents.acp.patience import Patience
from codetether_adapters.agents.acp.permissions import CANCELLED
from codetether_adapters.agents.acp.tool_calls import ToolCalls
from codetether_core.approvals import ApprovalKind
from codetether_core.ports import Answer, Inquiry
from tests.acp.scenes import JSON, TEXT, permission

FIELDS = st.fixed_dictionaries(
    {"type": st.sampled_from(["string", "number", "integer", "boolean", "array"]) | JSON},
    optional={"enum": st.lists(TEXT) | JSON, "oneOf": st.lists(st.fixed_dictionaries({"const": TEXT})) | JSON},
)
FORMS = st.fixed_dictionaries(
    {
        "mode": st.just("form") | JSON,
        "requestedSchema": st.fixed_dictionaries({"properties": st.dictionaries(TEXT, FIELDS)}) | JSON,
    },
    optional={"message": JSON},
)


@given(FORMS | JSON)
def test_whatever_is_wanted_can_be_asked(params: Any) -> None:
    """Each question has words, and choices that differ, one of which declines; or takes words."""
    for blank in blanks_of(params):
        ids = [option.id for option in blank.inquiry.options]
        assert blank.inquiry.prompt
        assert len(set(ids)) == len(ids)
        assert all(ids)
        assert set(blank.choices) == set(ids) - {"decline"} or "decline" in blank.choices


def form(required: list[str] | None = None, **fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an agent sends."""
    return {"mode": "form", "message": "Deploy", "requestedSchema": {"properties": fields, "required": required}}


async def told(params: object, *answers: str) -> tuple[Mapping[str, Any], list[Inquiry]]:
    """What the agent is told, and what was asked, of somebody who gives these answers."""
    asked: list[Inquiry] = []

    async def ask(inquiry: Inquiry) -> Answer:
        word = answers[len(asked)]
        asked.append(inquiry)
        return Answer(question=inquiry.prompt, **({"choice": word} if inquiry.options else {"text": word}))

    answer = await Requests(ask, ToolCalls(), Patience(None)).answer("elicitation/create", params)
    assert answer is not None
    return answer, asked


STRING, ENUM = {"type": "string"}, {"type": "string", "enum": ["a", "b"]}
TITLED = {"type": "string", "title": "Where?", "oneOf": [{"const": "eu", "title": "Europe"}]}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("params", "answers", "content"),
    [
        (form(name=STRING), ["Ada"], {"name": "Ada"}),
        (form(size={"type": "integer"}, cost={"type": "number"}), ["3", "0.5"], {"size": 3, "cost": 0.5}),
        (form(sure={"type": "boolean"}, also={"type": "boolean"}), ["yes", "no"], {"sure": True, "also": False}),
        (form(which=ENUM, where=TITLED), ["b", "eu"], {"which": "b", "where": "eu"}),
        (form(["name"], name=STRING, nickname=STRING), ["Ada"], {"name": "Ada"}),
    ],
)
async def test_a_form_is_filled_in(params: object, answers: list[str], content: Mapping[str, Any]) -> None:
    answer, asked = await told(params, *answers)
    assert answer == {"action": "accept", "content": content}
    assert {each.kind for each in asked} == {ApprovalKind.ELICITATION}
    assert all(each.prompt.startswith("Deploy\n") for each in asked)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("params", "answers"),
    [
        (form(which=ENUM), ["decline"]),
        (form(size={"type": "integer"}), ["many"]),
        (form(cost={"type": "number"}), ["nan"]),
        (form(name=STRING, tags={"type": "array"}), []),
        (form(), []),
        ({"mode": "carrier pigeon"}, []),
    ],
)
async def test_what_is_not_said_or_cannot_be_asked_is_declined(params: object, answers: list[str]) -> None:
    answer, asked = await told(params, *answers)
    assert answer == {"action": "decline"}
    assert len(asked) == len(answers)


@pytest.mark.anyio
@pytest.mark.parametrize(("choice", "answer"), [("done", {"action": "accept"}), ("decline", {"action": "decline"})])
async def test_a_page_to_visit_is_told(choice: str, answer: Mapping[str, Any]) -> None:
    said, (asked,) = await told({"mode": "url", "message": "Sign in", "url": "https://x.example/a"}, choice)
    assert said == answer
    assert (asked.prompt, asked.kind) == ("Sign in\nhttps://x.example/a", ApprovalKind.AUTH)


@pytest.mark.anyio
async def test_a_run_that_is_cancelled_answers_for_nobody() -> None:
    async def ask(_: Inquiry) -> Answer:
        await anyio.sleep_forever()
        raise AssertionError

    requests = Requests(ask, ToolCalls(), Patience(None))
    requests.cancel()
    assert await requests.answer("elicitation/create", form(name=STRING)) == {"action": "cancel"}
    assert await requests.answer("session/request_permission", permission()) == CANCELLED
