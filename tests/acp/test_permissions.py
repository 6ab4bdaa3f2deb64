"""Questions for leave: what a policy and people see of them, whatever shape they have."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.agents.acp.permissions import CANCELLED, inquiry_of, outcome_of
from codetether_adapters.agents.acp.tool_calls import ToolCalls
from codetether_adapters.http.resources.tool_bodies import declared
from codetether_core.access import ToolKind, ToolUse
from codetether_core.approvals import ApprovalKind, Option, OptionKind
from codetether_core.ports import Answer
from tests.acp.scenes import JSON, OPTIONS

CALLS = JSON | st.fixed_dictionaries(
    {},
    optional={
        "title": JSON,
        "name": JSON,
        "kind": JSON | st.sampled_from([*ToolKind]),
        "locations": st.lists(st.fixed_dictionaries({"path": st.text(max_size=9) | JSON}), max_size=200) | JSON,
        "rawInput": JSON | st.fixed_dictionaries({"command": JSON | st.text(min_size=9000, max_size=20_000)}),
    },
)
CHOICES = st.lists(
    JSON
    | st.fixed_dictionaries({"optionId": JSON | st.text(max_size=2), "kind": JSON | st.sampled_from([*OptionKind])}),
    max_size=4,
)


@given(st.fixed_dictionaries({"toolCall": CALLS, "options": CHOICES | JSON}) | JSON, JSON)
def test_whatever_is_asked_can_be_asked(params: Any, known: Any) -> None:
    """The server would refuse what is out of its bounds, and the agent would wait for an answer."""
    inquiry = inquiry_of(params, known if isinstance(known, dict) else {})
    if inquiry is not None:
        assert inquiry.prompt
        assert inquiry.options
        assert len({option.id for option in inquiry.options}) == len(inquiry.options)
        assert all(option.kind is not None for option in inquiry.options)
        assert declared(ApprovalKind.PERMISSION, inquiry.tool) == inquiry.tool


def test_a_question_as_people_and_a_policy_see_it() -> None:
    call = {"toolCallId": "1", "title": "Run tests", "kind": "execute", "rawInput": {"command": "make test"}}
    inquiry = inquiry_of({"toolCall": call, "options": OPTIONS}, {})
    assert inquiry is not None
    assert inquiry.prompt == "Run tests: make test"
    assert inquiry.tool == ToolUse(name="execute", kind=ToolKind.EXECUTE, command="make test")
    assert inquiry.options == (
        Option(id="yes", label="Yes", kind=OptionKind.ALLOW_ONCE),
        Option(id="no", label="No", kind=OptionKind.REJECT_ONCE),
    )


@pytest.mark.parametrize(
    ("call", "paths"),
    [
        ({"locations": [{"path": "/c/a"}, {"path": "/c/b", "line": 3}, {"line": 1}, "x"]}, ("/c/a", "/c/b")),
        ({"content": [{"type": "diff", "path": ".git/config", "newText": ""}]}, (".git/config",)),
        ({"rawInput": {"file_path": "/c/a"}, "locations": [{"path": "/c/a"}]}, ("/c/a",)),
    ],
)
def test_paths_are_found_wherever_agents_put_them(call: dict[str, Any], paths: tuple[str, ...]) -> None:
    """A policy that does not see a path cannot deny it."""
    inquiry = inquiry_of({"toolCall": call, "options": OPTIONS}, {})
    assert inquiry is not None and inquiry.tool is not None
    assert inquiry.tool.paths == paths


def test_what_was_told_before_need_not_be_said_again() -> None:
    calls = ToolCalls()
    calls.feed({"toolCallId": "1", "kind": "edit", "title": "Edit", "locations": [{"path": ".git/hooks/x"}]})
    inquiry = inquiry_of({"toolCall": {"toolCallId": "1", "kind": None}, "options": OPTIONS}, calls.known("1"))
    assert inquiry is not None and inquiry.tool is not None
    assert (inquiry.tool.kind, inquiry.tool.paths) == (ToolKind.EDIT, (".git/hooks/x",))


@given(st.lists(st.text(min_size=1), min_size=1))
def test_a_command_of_words_is_told_as_a_shell_would_read_it(words: list[str]) -> None:
    inquiry = inquiry_of({"toolCall": {"rawInput": {"command": words}}, "options": OPTIONS}, {})
    assert inquiry is not None and inquiry.tool is not None and inquiry.tool.command is not None
    assert shlex.split(inquiry.tool.command) == words


def test_an_option_that_nobody_understands_is_not_offered() -> None:
    """It might be a yes, and a deadline picks a no."""
    odd = {"optionId": "maybe", "name": "Maybe", "kind": "allow_for_a_while"}
    inquiry = inquiry_of({"options": [*OPTIONS, odd]}, {})
    assert inquiry is not None
    assert [option.id for option in inquiry.options] == ["yes", "no"]
    assert inquiry_of({"options": [odd]}, {}) is None


def test_answers_in_the_words_of_the_protocol() -> None:
    assert outcome_of(Answer(question="q", choice="no")) == {"outcome": {"outcome": "selected", "optionId": "no"}}
    assert outcome_of(Answer(question="q")) == CANCELLED
