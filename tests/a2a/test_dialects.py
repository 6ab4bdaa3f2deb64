"""Both releases' JSON: what is read and written again is the same, and the rest is read liberally or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.a2a_wire.dialect import Dialect
from codetether_adapters.a2a_wire.v03 import V03
from codetether_adapters.a2a_wire.v1 import V1
from codetether_adapters.a2a_wire.values import (
    Data,
    GetTask,
    ListTasks,
    Message,
    Part,
    PushConfig,
    Raw,
    Role,
    SendMessage,
    StatusUpdate,
    Task,
    TaskState,
    TaskStatus,
    Text,
)
from codetether_core.errors import Invalid
from tests.a2a.values import asked, told

BOTH = pytest.mark.parametrize("dialect", [V1, V03], ids=lambda dialect: dialect.name)


@BOTH
@given(data=st.data())
def test_what_is_written_is_read_as_the_same(dialect: Dialect, data: st.DataObject) -> None:
    value = data.draw(told(dialect.name) | asked(dialect.name))
    text = json.dumps(dialect.dump(value))
    again = dialect.parse(type(value), json.loads(text))
    assert again == value
    assert json.dumps(dialect.dump(again)) == text


@BOTH
@given(data=st.data())
def test_members_that_are_not_known_and_null_say_nothing(dialect: Dialect, data: st.DataObject) -> None:
    value = data.draw(told(dialect.name))
    written = dialect.dump(value)
    assert dialect.parse(type(value), {**written, "hue": 1, "extensions": None} | written) == value


@given(data=st.data())
def test_release_1_says_no_kind_and_0_3_says_every_one(data: st.DataObject) -> None:
    value = data.draw(told("0.3"))
    assert V03.dump(value)["kind"] in ("message", "task", "status-update", "artifact-update")
    assert "kind" not in V1.dump(value)


def message(**members: Any) -> Any:
    return {"message": {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "hi"}], **members}}


def test_release_1_reads_snake_case_and_integer_enumerations_and_digits() -> None:
    told = {"message_id": "m", "role": 1, "parts": [{"text": "hi", "media_type": "text/plain"}], "context_id": "c"}
    read = V1.parse(SendMessage, {"message": told, "configuration": {"history_length": "2"}})
    assert read.message == Message(
        message_id="m",
        role=Role.USER,
        parts=(Part(content=Text("hi"), media_type="text/plain"),),
        context_id="c",
    )
    assert read.configuration.history_length == 2
    assert V1.parse(TaskStatus, {"state": 6}).state is TaskState.INPUT_REQUIRED
    assert V1.parse(ListTasks, {"status": "UNRECOGNIZED"}).status is TaskState.UNSPECIFIED


def test_parts_are_known_by_what_they_have() -> None:
    for raw in ("aGk=", "aGk", "_-8", "/+8="):
        assert isinstance(V1.parse(Part, {"raw": raw}).content, Raw)
    assert V1.parse(Part, {"data": None}).content == Data(None)
    assert V1.parse(Part, {"kind": "text", "text": ""}).content == Text("")
    for part in ({"text": "hi"}, {"type": "text", "text": "hi"}, {"kind": "text", "text": "hi"}):
        assert V03.parse(Part, part).content == Text("hi")


def test_data_that_is_no_object_is_the_value_of_one_in_0_3() -> None:
    assert V03.dump(Part(content=Data([1]))) == {"kind": "data", "data": {"value": [1]}}


@pytest.mark.parametrize("role", ["ROLE_UNSPECIFIED", "user", 0, 3, True, None, [1]])
def test_a_role_that_is_none_is_refused(role: object) -> None:
    with pytest.raises(Invalid) as refused:
        V1.parse(SendMessage, message(role=role))
    assert refused.value.field == "message.role"


@pytest.mark.parametrize(
    "part", [{}, {"text": "a", "url": "b"}, {"text": 1}, {"raw": "%"}, {"raw": 1}, "a", {"text": "a", "filename": 1}]
)
def test_a_part_has_one_content(part: object) -> None:
    with pytest.raises(Invalid) as refused:
        V1.parse(SendMessage, message(parts=[{"text": "a"}, part]))
    assert refused.value.field == "message.parts.1"


@pytest.mark.parametrize(
    "part",
    [{}, {"kind": "text"}, {"kind": "hat", "hat": 1}, {"kind": "file", "file": {}}, {"kind": "data", "data": [1]}, 3],
)
def test_a_part_of_0_3_is_of_its_kind(part: object) -> None:
    with pytest.raises(Invalid) as refused:
        V03.parse(SendMessage, {"message": {"messageId": "m", "role": "user", "parts": [part]}})
    assert refused.value.field == "message.parts.0"


def test_a_history_of_no_length_is_none_of_it_in_1_0_and_all_of_it_in_0_3() -> None:
    for length_told, length in ((0, None), (None, None), (3, 3)):
        assert V03.parse(GetTask, {"id": "t", "historyLength": length_told}).history_length == length
    assert V1.parse(GetTask, {"id": "t", "historyLength": 0}).history_length == 0


def test_a_message_is_waited_for_unless_it_says_otherwise() -> None:
    sent = {"message": {"messageId": "m", "role": "user", "parts": [{"kind": "text", "text": "hi"}]}}
    assert V03.parse(SendMessage, sent).configuration.return_immediately is False
    asked = V03.parse(SendMessage, sent | {"configuration": {"blocking": False}})
    assert asked.configuration.return_immediately is True
    assert V1.parse(SendMessage, message()).configuration.return_immediately is False


def test_a_webhook_of_0_3_is_nested_in_its_tasks() -> None:
    webhook = {"id": "w", "url": "https://a.test", "authentication": {"schemes": ["Bearer", "Basic"]}}
    read = V03.parse(PushConfig, {"taskId": "t", "pushNotificationConfig": webhook})
    assert (read.task_id, read.id, read.authentication and read.authentication.scheme) == ("t", "w", "Bearer")
    assert V03.dump(read)["pushNotificationConfig"]["authentication"] == {"schemes": ["Bearer"]}


def test_results_and_streams_are_wrapped_in_1_0_and_bare_in_0_3() -> None:
    task = Task(id="t", context_id="c", status=TaskStatus(state=TaskState.WORKING))
    update = StatusUpdate(task_id="t", context_id="c", status=task.status)
    assert V1.sent(task) == V1.event(task) == {"task": V1.dump(task)}
    assert V03.sent(task) == V03.event(task) == V03.dump(task)
    assert list(V1.event(update)) == ["statusUpdate"]
    assert V03.event(update)["final"] is False
