"""Updates of any shape become output and events, and nothing of what was said is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.agents.acp.fitting import MOST_CHARACTERS, event
from codetether_adapters.agents.acp.updates import RESULT_BYTES, Updates
from codetether_adapters.agents.chunks import CHUNK_BYTES
from codetether_core.redaction import Redactor, mark
from codetether_core.tasks import RedactedOutput
from codetether_core.tasks.agent_json import read_object
from codetether_core.tasks.output import understood
from tests.acp.scenes import JSON, TEXT

KINDS = st.sampled_from(
    [
        "user_message_chunk", "agent_message_chunk", "agent_thought_chunk", "tool_call", "tool_call_update", "plan",
        "available_commands_update", "current_mode_update", "config_option_update", "session_info_update",
        "usage_update", "notice", "compaction_update", "compaction_summary_chunk", "plan_update", "subagent_update",
    ]
)  # fmt: skip
CONTENT = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image", "diff", "terminal"])}, optional={"text": JSON}
)
UPDATES = JSON | st.fixed_dictionaries(
    {"sessionUpdate": KINDS | JSON},
    optional={
        "toolCallId": st.sampled_from(["1", "2"]) | JSON,
        "status": st.sampled_from(["pending", "in_progress", "completed", "failed"]) | JSON,
        "content": CONTENT | st.lists(CONTENT | JSON, max_size=3) | JSON,
        "rawInput": JSON,
        "title": JSON,
        "type": JSON,
    },
)


def message(text: str, kind: str = "agent_message_chunk") -> Mapping[str, Any]:
    """What the agent says, or thinks."""
    return {"sessionUpdate": kind, "content": {"type": "text", "text": text}}


def told(*updates: object) -> list[Mapping[str, Any]]:
    """The events of these updates."""
    reader = Updates()
    return [chunk.event or {"text": chunk.text} for update in updates for chunk in reader.feed(update)]


@given(st.lists(UPDATES, max_size=12))
def test_no_update_is_too_odd(updates: list[Any]) -> None:
    """Each is told as what a store and a stream can hold, and what is not understood as it came."""
    reader = Updates()
    for update in updates:
        chunks = reader.feed(update)
        for chunk in chunks:
            assert len(chunk.text.encode()) <= CHUNK_BYTES
            if chunk.event is not None:
                assert isinstance(chunk.event["type"], str)
                assert read_object(json.dumps(chunk.event)) == chunk.event
        kinds = {chunk.event["type"] for chunk in chunks if chunk.event}
        if kinds == {"raw"} and not any(chunk.stream == "raw" for chunk in chunks):
            assert chunks == [event("raw", {"update": update}, stream="agent")]


@given(st.lists(st.tuples(TEXT | st.just('{"type":"tool_use"}') | st.text("{x", max_size=3), st.booleans())))
def test_what_is_said_and_thought_is_told_as_it_was_sent(said: list[tuple[str, bool]]) -> None:
    """However it was cut; and no words of an agent pass for an event of it."""
    reader = Updates()
    chunks = [
        chunk
        for text, thought in said
        for chunk in reader.feed(message(text, "agent_thought_chunk" if thought else "agent_message_chunk"))
    ]
    for stream, thinks in (("stdout", False), ("thought", True)):
        assert "".join(chunk.text for chunk in chunks if chunk.stream == stream) == "".join(
            text for text, thought in said if thought is thinks
        )
    assert all(understood(chunk) is None for chunk in chunks if chunk.stream == "stdout")


@given(st.lists(TEXT, min_size=1, max_size=5), st.sampled_from(["completed", "failed"]))
def test_the_growth_of_a_tools_text_joined_is_its_text(parts: list[str], end: str) -> None:
    """Agents tell all of it again each time: told so, an hour of a build would be told in squares."""

    def update(text: str, **more: str) -> Mapping[str, Any]:
        content = [{"type": "content", "content": {"type": "text", "text": text}}]
        return {"sessionUpdate": "tool_call_update", "toolCallId": "1", "content": content, **more}

    whole = ["".join(parts[: count + 1]) for count in range(len(parts))]
    begun = {"sessionUpdate": "tool_call", "toolCallId": "1", "title": "build"}
    reader = Updates()
    chunks = [each for one in (begun, *map(update, whole), update(whole[-1], status=end)) for each in reader.feed(one)]
    events = [chunk.event or {} for chunk in chunks]
    assert [each["type"] for each in events if each["type"] != "tool_progress"] == ["tool_use", "tool_result"]
    assert "".join(chunk.text for chunk in chunks if chunk.stream == "tool") == whole[-1]
    assert events[-1]["content"][0]["content"]["text"] == whole[-1]


@given(st.lists(st.tuples(st.sampled_from(["1", "2"]), st.text("ab", min_size=1), st.booleans()), max_size=20))
def test_what_two_tools_print_at_once_is_never_mixed(steps: list[tuple[str, str, bool]]) -> None:
    """A secret that one of them prints in two parts would not be found with the other's words between them."""
    reader, whole = Updates(), dict[str, str]()
    for id, words, ends in steps:
        whole[id] = whole.get(id, "") + words
        content = [{"content": {"type": "text", "text": whole[id]}}]
        update = {"sessionUpdate": "tool_call_update", "toolCallId": id, "content": content}
        printed = [each for each in reader.feed({**update, "status": "failed" if ends else None}) if each.text]
        assert len(whole) == 1 or not printed
        assert whole[id].endswith("".join(each.text for each in printed))
        if ends:
            del whole[id]


@pytest.mark.parametrize(
    "kind", ["agent_thought_chunk", "compaction_summary_chunk", "subagent_chunk", "user_message_chunk"]
)
def test_a_secret_that_comes_in_pieces_is_hidden(kind: str) -> None:
    """Whatever brings it, known or not: no piece of an event would be one."""
    output = RedactedOutput(Redactor.of({"key": "sk-0123456789"}))
    reader = Updates()
    pieces = [chunk for part in ("a sk-01234", "56789 b") for chunk in reader.feed(message(part, kind))]
    told = [*filter(None, map(output.feed, pieces)), *output.end()]
    assert "".join(chunk.text for chunk in told) == f"a {mark('key')} b"
    assert "56789" not in json.dumps([chunk.event for chunk in told])


def test_a_use_of_a_tool_from_its_beginning_to_its_end() -> None:
    diff = {"type": "diff", "path": "/c/a.py", "oldText": None, "newText": "x"}
    assert told(
        {"sessionUpdate": "tool_call", "toolCallId": "1", "title": "Edit", "kind": "edit", "content": [diff],
         "locations": [{"path": "/c/a.py"}], "rawInput": {"path": "/c/a.py"}, "status": "pending"},
        {"sessionUpdate": "tool_call_update", "toolCallId": "1", "status": "in_progress"},
        {"sessionUpdate": "tool_call_update", "toolCallId": "1", "status": "in_progress"},
        {"sessionUpdate": "tool_call_update", "toolCallId": "1", "status": "completed", "rawOutput": "ok"},
    ) == [
        {"type": "tool_use", "id": "1", "title": "Edit", "kind": "edit", "status": "pending",
         "locations": [{"path": "/c/a.py"}], "input": {"path": "/c/a.py"}},
        {"type": "tool_progress", "id": "1", "status": "in_progress"},
        {"type": "tool_result", "id": "1", "title": "Edit", "kind": "edit", "status": "completed", "output": "ok"},
        {"type": "file_change", "id": "1", "path": "/c/a.py", "new": "x"},
    ]  # fmt: skip


def test_a_text_that_takes_the_place_of_another_is_told_so() -> None:
    """A progress bar, or only the last lines."""
    reader = Updates()
    call = {"sessionUpdate": "tool_call_update", "toolCallId": "1"}
    reader.feed({**call, "content": [{"content": {"type": "text", "text": "10 %"}}]})
    chunks = reader.feed({**call, "content": [{"content": {"type": "text", "text": "20 %"}}]})
    assert [(chunk.text, (chunk.event or {}).get("instead")) for chunk in chunks] == [("", True), ("20 %", None)]


def test_a_change_that_failed_is_none() -> None:
    diff = {"type": "diff", "path": "a", "newText": "x"}
    events = told({"sessionUpdate": "tool_call", "toolCallId": "1", "status": "failed", "content": [diff]})
    assert [each["type"] for each in events] == ["tool_use", "tool_result"]


@pytest.mark.parametrize(
    ("update", "type", "stream"),
    [
        ({"sessionUpdate": "plan", "entries": []}, "plan", "stdout"),
        ({"sessionUpdate": "notice", "title": "slow"}, "notice", "stdout"),
        ({"sessionUpdate": "usage_update", "used": 1}, "usage", "agent"),
        ({"sessionUpdate": "session_info_update", "title": "t"}, "session_info", "agent"),
        ({"sessionUpdate": "compaction_update"}, "compaction", "agent"),
        ({"sessionUpdate": "current_mode_update", "currentModeId": "m"}, "agent_state", "agent"),
        ({"sessionUpdate": "user_message_chunk", "content": {}}, "user_message", "agent"),
        ({"sessionUpdate": "agent_thought_chunk", "content": {"type": "image"}}, "thought", "agent"),
        ({"sessionUpdate": "agent_message_chunk", "content": {"type": "image", "data": ""}}, "message", "stdout"),
        ({"sessionUpdate": "subagent_update", "x": 1}, "raw", "agent"),
        ({"sessionUpdate": "tool_call"}, "raw", "agent"),
        ("words", "raw", "agent"),
    ],
)
def test_what_each_kind_of_update_is_told_as(update: object, type: str, stream: str) -> None:
    (chunk,) = Updates().feed(update)
    assert chunk.event is not None
    assert (chunk.event["type"], chunk.stream, chunk.text) == (type, stream, "")


def test_an_event_has_an_end() -> None:
    """Its long texts are cut; if it is all in pieces, only its beginning is told."""
    diff = [{"type": "diff", "path": "a", "newText": "x" * 10**6}]
    (_, _, change) = told({"sessionUpdate": "tool_call", "toolCallId": "1", "status": "completed", "content": diff})
    assert (change["path"], len(change["new"]) < 2 * CHUNK_BYTES) == ("a", True)
    assert "characters after this were cut" in change["new"]
    (plan,) = told({"sessionUpdate": "plan", "entries": [{"content": "x"}] * 10**5})
    assert plan["cut"].startswith('{"type": "plan"')
    assert len(json.dumps(plan)) < MOST_CHARACTERS


def test_the_result_is_bounded() -> None:
    reader = Updates()
    reader.feed(message("x" * 3 * RESULT_BYTES + "end"))
    assert reader.result.endswith("xend")
    assert len(reader.result) < RESULT_BYTES + 100
