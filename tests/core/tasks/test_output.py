"""Output as events: told apart where it is understood, kept as it is where it is not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_core.events import Topic
from codetether_core.tasks import OUTPUT_KINDS, OutputChunk, output_event, session_of
from codetether_core.tasks.output import understood
from tests.core.tasks.lives import NOW, RUNNING, SECOND, grant_of

GRANT = grant_of(RUNNING)
words = st.text(st.characters(exclude_characters="\0", codec="utf-8"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
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


@given(st.dictionaries(words, json_values, max_size=4), words)
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


@pytest.mark.parametrize(
    ("printed", "kept"),
    [
        (r"\ud800", "\ufffd"),
        (r"a\u0000b", "a\ufffdb"),
        (r"\ud83e\udd8a", "🦊"),
    ],
)
def test_characters_that_no_store_can_hold_are_replaced_in_values_and_names(printed: str, kept: str) -> None:
    said = understood(OutputChunk(text=f'{{"type":"text","part":[{{"{printed}":"{printed}"}}]}}'))
    assert said == {"type": "text", "part": [{kept: kept}]}


@pytest.mark.parametrize(
    ("printed", "kept"),
    [
        (str(2**64 - 1), 2**64 - 1),
        (str(-(2**63)), -(2**63)),
        (str(2**64), str(2**64)),
        (str(-(2**63) - 1), str(-(2**63) - 1)),
        ("9" * 5000, "9" * 5000),
        ("1e999", "1e999"),
        ("-1e999", "-1e999"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("1e5", 1e5),
    ],
)
def test_numbers_beyond_64_bits_are_kept_as_they_were_printed(printed: str, kept: Any) -> None:
    assert understood(OutputChunk(text=f'{{"type":"text","n":{printed}}}')) == {"type": "text", "n": kept}


@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]")])
def test_what_is_nested_deeper_than_a_hundred_levels_stays_text(opening: str, closing: str) -> None:
    def line(depth: int) -> OutputChunk:
        return OutputChunk(text=f'{{"type":"text","wide":[[],[],{{}}],"a":{opening * depth}1{closing * depth}}}')

    assert understood(line(99)) is not None
    assert understood(line(100)) is None
    assert understood(OutputChunk(text='{"type":"text","a":[' + "{}," * 200 + "{}]}")) is not None


@pytest.mark.parametrize("member", ["sessionID", "session_id", "sessionId"])
def test_an_agents_session_is_found_in_its_json_whatever_it_calls_it(member: str) -> None:
    event = {"type": "text", member: "ses_1"}
    assert session_of(OutputChunk(text=json.dumps(event) + "\n")) == "ses_1"
    assert session_of(OutputChunk(text="", event=event)) == "ses_1"


@pytest.mark.parametrize(
    "text",
    ["ses_1", '{"sessionID": "1"}', '{"sessionID": ["ses_1"]}', '{"other": "ses_1"}', '{"sessionID": "ses_1"', "[1]"],
)
def test_what_only_looks_like_a_session_is_none(text: str) -> None:
    assert session_of(OutputChunk(text=text)) is None


def test_a_runners_own_word_of_a_session_counts_whatever_its_id_is_like() -> None:
    """It does so as an event alone: an agent may print anything."""
    event = {"type": "session", "sessionId": "0b6f"}
    assert session_of(OutputChunk(text="", event=event)) == "0b6f"
    assert session_of(OutputChunk(text=json.dumps(event))) is None
    assert session_of(OutputChunk(text="", event={**event, "sessionId": ""})) is None
