"""What tests of ACP share: the fake agent under a real runner, and the words that it may be told to say."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

from hypothesis import strategies as st

from codetether_adapters.agents import AcpRunner, AcpTemplate
from codetether_core.ports import RunOutcome
from tests.agents.agents import Output, nobody, run_in

__all__ = [
    "AGENT",
    "JSON",
    "OPTIONS",
    "Scenario",
    "ask_for",
    "events",
    "fake",
    "heard",
    "permission",
    "played",
    "said",
    "text",
]

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
"""Text as it is read from JSON of agents: without what no store takes."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)
"""Any value that an agent may send."""

AGENT = str(Path(__file__).with_name("agent.py"))
Scenario: TypeAlias = Mapping[str, Sequence[Mapping[str, Any]]]
OPTIONS = [
    {"optionId": "yes", "name": "Yes", "kind": "allow_once"},
    {"optionId": "no", "name": "No", "kind": "reject_once"},
]


def fake(scenario: Scenario, log: Path | None = None, *, politeness: float = 30, **more: Any) -> AcpRunner:
    """A runner of the agent in that scenario, with deadlines that no test waits for unless it is about them."""
    command = (sys.executable, AGENT, json.dumps(scenario), *([] if log is None else [str(log)]))
    template = AcpTemplate(name="fake", command=command, **{"initialize_timeout": timedelta(seconds=60), **more})
    brief = timedelta(milliseconds=300)
    return AcpRunner(template, {}, grace=brief, politeness=timedelta(seconds=politeness), afterthought=brief)


async def played(scenario: Scenario, directory: Path, output: Output | None = None, **run: Any) -> RunOutcome:
    """The outcome of one run in the scenario, whose log is in the directory."""
    told = output or Output()
    return await fake(scenario, directory / "heard").run(run_in(directory, **run), told.emit, nobody)


def text(words: str) -> Mapping[str, Any]:
    """A step: the agent says this."""
    return {"update": {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": words}}}


def said(*steps: Mapping[str, Any], stop: object = "end_turn") -> Scenario:
    """The scenario in which the prompt is answered so."""
    return {"session/prompt": [*steps, {"answer": {"stopReason": stop, "usage": {"totalTokens": 7}}}]}


def permission(**call: Any) -> Mapping[str, Any]:
    """A question for leave."""
    return {"toolCall": {"toolCallId": "call-1", "title": "Look around", **call}, "options": OPTIONS}


def ask_for(*questions: Mapping[str, Any]) -> Mapping[str, Any]:
    """A step: the agent asks for these at once."""
    return {"ask": list(questions)}


def events(output: Output, *types: str) -> list[Mapping[str, Any]]:
    """The events of these types, or all, in order."""
    found = [chunk.event for chunk in output.chunks if chunk.event is not None]
    return [each for each in found if not types or each["type"] in types]


def heard(directory: Path, method: str) -> list[Mapping[str, Any]]:
    """What the agent was told by that method."""
    lines = (directory / "heard").read_text().splitlines()
    return [message.get("params", {}) for line in lines if (message := json.loads(line)).get("method") == method]
