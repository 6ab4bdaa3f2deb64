"""Tasks and their output as events, in our own words: ``output``, ``status``, ``complete``, ``error``, …

A record's body is JSON already: what is missing in it is put before its closing brace, and nothing is parsed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from codetether_adapters.http.resources.following import Dialect
from codetether_adapters.http.responses import encode_json
from codetether_adapters.sse import json_frame
from codetether_core.codec import timestamp
from codetether_core.events import Record
from codetether_core.tasks import CHANGE_KINDS, OUTPUT_KINDS, Task, TaskState

__all__ = ["CANONICAL", "OUTPUT", "output_body"]

_NAMES: Final[Mapping[str, str]] = {
    "task.created": "status",
    "task.status": "status",
    "task.stopped": "status",
    "task.artifact": "artifact",
    "task.completed": "complete",
    "task.cancelled": "complete",
    "task.failed": "error",
    "task.output": "output",
    "task.tool_use": "tool_use",
    "task.file_change": "file_change",
}
_ENDINGS: Final = ("task.completed", "task.failed", "task.cancelled")


def output_body(record: Record) -> bytes:
    """The JSON of a piece of output; ``sequence`` is its number among the task's events."""
    return b'%b,"sequence":%d,"codebase_id":%b,"workspace_id":%b,"timestamp":"%b"}' % (
        record.body[:-1],
        record.number,
        (codebase := encode_json(record.topic.scope)),
        codebase,
        timestamp(record.at).encode(),
    )


def _change_body(record: Record) -> bytes:
    return b'%b,"sequence":%d,"workspace_id":%b%b,"timestamp":"%b"}' % (
        record.body[:-1],
        record.number,
        encode_json(record.topic.scope),
        b',"stopped":true' if record.kind == "task.stopped" else b"",
        timestamp(record.at).encode(),
    )


def _canonical(record: Record, cursor: str) -> bytes:
    body = output_body(record) if record.kind in OUTPUT_KINDS else _change_body(record)
    return json_frame(body, event=_NAMES[record.kind], id=cursor)


def _canonical_ending(task: Task) -> bytes:
    data = {
        "task_id": task.id,
        "codebase_id": task.spec.codebase,
        "workspace_id": task.spec.codebase,
        "title": task.spec.title,
        "status": task.state,
        "attempt": task.grant.number if task.grant else 0,
        "worker_id": task.grant and task.grant.worker,
        "session_id": task.session,
        "result": task.result,
        "error": task.error,
        "timestamp": task.ended_at,
    }
    if task.reason:
        data["reason"] = task.reason
    return json_frame(encode_json(data), event="error" if task.state is TaskState.FAILED else "complete")


def _output(record: Record, cursor: str) -> bytes:
    if record.kind in OUTPUT_KINDS:
        return json_frame(output_body(record), event="output", id=cursor)
    if record.kind == "task.stopped":
        return b""
    state = record.kind.removeprefix("task.")
    return json_frame(encode_json({"status": state}), event="done", id=cursor)


def _output_ending(task: Task) -> bytes:
    return json_frame(encode_json({"status": task.state}), event="done")


CANONICAL: Final = Dialect("canonical", (*CHANGE_KINDS, *OUTPUT_KINDS), _canonical, _canonical_ending)
"""Every change and all output."""

OUTPUT: Final = Dialect("output", (*OUTPUT_KINDS, *_ENDINGS, "task.stopped"), _output, _output_ending)
"""Output only, then ``done``; the same under every prefix. After a cancel, what the run still prints follows on it."""
