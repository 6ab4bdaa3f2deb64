"""Output as events: told apart where it is understood, kept as it is where it is not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_core.events import Topic
from codetether_core.tasks import OUTPUT_KINDS, OutputChunk, output_event
from codetether_core.tasks.output import understood
from tests.core.tasks.lives import NOW, RUNNING, SECOND, grant_of

GRANT = grant_of(RUNNING)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_a_chunk_of_text_becomes_an_event_of_its_task() -> None:
    event = output_event(RUNNING, GRANT, OutputChunk(text="hello\n", stream="stderr"), NOW)
    assert (event.kind, event.at) == ("task.output", NOW)
    assert event.topic == Topic.task(RUNNING.tenant, RUNNING.spec.codebase, RUNNING.id)
    assert event.data == {
        "task_id": "tsk_1",
        "worker_id": "ann",
        "attempt": 1,
        "stream": "stderr",
        "output": "hello\n",
    }


def test_when_it_was_printed_and_that_it_came_after_a_cancel_are_said_where_they_are_so() -> None:
    event = output_event(RUNNING, GRANT, OutputChunk(text="", at=NOW), NOW + SECOND, trailing=True)
    assert (event.data["produced_at"], event.data["after_cancel"]) == (NOW, True)


@pytest.mark.parametrize(
    ("type", "kind"),
    [
        ("tool_use", "task.tool_use"),
        ("tool", "task.tool_use"),
        ("file_change", "task.file_change"),
        ("file_edit", "task.file_change"),
        ("file.edited", "task.file_change"),
        ("text", "task.output"),
        ("something new", "task.output"),
    ],
)
def test_an_agents_own_events_are_told_apart_as_text_and_as_json(type: str, kind: str) -> None:
    said = {"type": type, "n": 1}
    for chunk in (OutputChunk(text="", event=said), OutputChunk(text=json.dumps(said) + "\n")):
        event = output_event(RUNNING, GRANT, chunk, NOW)
        assert (event.kind, event.data["event"], event.data["output"]) == (kind, said, chunk.text)
        assert event.kind in OUTPUT_KINDS


@given(st.dictionaries(st.text(), json_values, max_size=4), st.text())
def test_a_line_of_json_with_a_type_is_understood(value: dict[str, Any], type: str) -> None:
    said = {**value, "type": type}
    assert understood(OutputChunk(text=json.dumps(said))) == said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "[1]",
        "{",
        "{}",
        '{"type": 1}',
        '{"type": null}',
        ' {"type": "tool"}',
        '{"type": "tool"} and more',
        '{"type": "tool"}\n{"type": "tool"}',
        '{"type":' * 100_000,
        '{"type":' + "9" * 10_000 + "}",
        '"type"',
    ],
)
def test_what_is_not_understood_stays_text(text: str) -> None:
    """Agents print whatever they like; nothing of it is dropped and nothing of it may break a run."""
    event = output_event(RUNNING, GRANT, OutputChunk(text=text), NOW)
    assert (event.kind, event.data["output"]) == ("task.output", text)
    assert "event" not in event.data


@given(st.text() | st.text().map(lambda rest: "{" + rest))
def test_no_text_is_lost_and_none_is_refused(text: str) -> None:
    assert output_event(RUNNING, GRANT, OutputChunk(text=text), NOW).data["output"] == text
