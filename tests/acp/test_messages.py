"""Lines that are messages, and those that are not."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.agents.acp.messages import is_notification, line_of, message_of
from tests.acp.scenes import JSON

ODD = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0") | JSON},
    optional={"id": JSON, "method": st.text(max_size=3) | JSON, "params": JSON, "result": JSON, "error": JSON},
)


@given(st.binary() | ODD.map(lambda value: json.dumps(value).encode()) | JSON.map(lambda value: repr(value).encode()))
def test_what_is_taken_for_a_message_can_be_taken_at_its_word(line: bytes) -> None:
    """A connection that trips over one would hear nothing after it."""
    message = message_of(line)
    if message is None:
        return
    assert message["jsonrpc"] == "2.0"
    if "method" in message:
        assert isinstance(message["method"], str)
        assert is_notification(message) is ("id" not in message)
    else:
        hash(message["id"])
    if "error" in message and "method" not in message:
        assert isinstance(message["error"]["code"], int)
        assert isinstance(message["error"]["message"], str)


@given(st.dictionaries(st.sampled_from(["params", "result"]), JSON))
def test_a_message_is_one_line_and_read_as_it_was_written(members: dict[str, Any]) -> None:
    message = {"jsonrpc": "2.0", "id": 1, **members}
    line = line_of(message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert message_of(line) == message
