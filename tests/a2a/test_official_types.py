"""The official SDKs' own types read what we write, and we read what they make of it as the same."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from codetether_adapters.a2a_wire.dialect import Dialect
from codetether_adapters.a2a_wire.v03 import V03
from codetether_adapters.a2a_wire.v1 import V1
from codetether_adapters.a2a_wire.values import ArtifactUpdate, ListTasks, SendMessage, StatusUpdate, Task, TaskState
from codetether_adapters.tail import encode
from tests.a2a.clients.installing import python_program
from tests.a2a.values import asked, told

Reading = Callable[[str, Any], Any]

NAMES: Final[Mapping[Dialect, Mapping[type[Any], str]]] = {
    V1: {
        ArtifactUpdate: "TaskArtifactUpdateEvent",
        ListTasks: "ListTasksRequest",
        SendMessage: "SendMessageRequest",
        StatusUpdate: "TaskStatusUpdateEvent",
    },
    V03: {
        ArtifactUpdate: "TaskArtifactUpdateEvent",
        SendMessage: "MessageSendParams",
        StatusUpdate: "TaskStatusUpdateEvent",
    },
}
"""What they call types that we call otherwise."""


@pytest.fixture(scope="module", params=[V1, V03], ids=lambda dialect: dialect.name)
def reading(request: pytest.FixtureRequest) -> Iterator[tuple[Dialect, Reading]]:
    """A release, and its official types in a program."""
    dialect: Dialect = request.param
    program = python_program("1.3.0", "read_1_0") if dialect is V1 else python_program("0.3.26", "read_0_3")
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield dialect, partial(_read, process)
        assert process.stdin is not None
        process.stdin.close()


def _read(process: subprocess.Popen[str], name: str, value: Any) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({"type": name, "value": value}) + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


@given(data=st.data())
def test_they_read_what_we_write_and_we_what_they_write(reading: tuple[Dialect, Reading], data: st.DataObject) -> None:
    dialect, read = reading
    value = data.draw(told(dialect.name) | asked(dialect.name))
    status = getattr(value, "status", None)
    assume(TaskState.UNSPECIFIED not in (status, getattr(status, "state", None)))  # theirs leave it out
    kind = type(value)
    answer = read(NAMES[dialect].get(kind, kind.__name__), json.loads(encode(dialect.dump(value))))
    assert said(dialect.parse(kind, answer["value"])) == said(value), answer


def said(value: Any) -> Any:
    """An empty list is as good as none: theirs of release 1.0 know no difference."""
    return (
        evolve(value, history=value.history or None, artifacts=value.artifacts or None)
        if isinstance(value, Task)
        else value
    )
