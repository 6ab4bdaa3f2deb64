"""Output: what a run prints, as events of its task.

A chunk is text of one stream; agents that print JSON lines get their tool uses and file changes told apart, so that
watchers need not parse again. Nothing is dropped: what is not understood stays text.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from attrs import Factory, frozen

from codetether_core.events import Event, Topic
from codetether_core.ids import SessionId
from codetether_core.tasks.agent_json import read_object
from codetether_core.tasks.lease import Grant
from codetether_core.tasks.task import Task

__all__ = ["OUTPUT_KINDS", "OutputChunk", "output_event", "session_of", "understood"]

_SESSION_MEMBERS: Final = ("sessionID", "session_id", "sessionId")
_SESSION_PREFIX: Final = "ses_"
_LONGEST_SESSION: Final = 500

OUTPUT_KINDS: Final = ("task.output", "task.tool_use", "task.file_change")

_KINDS: Final[Mapping[str, str]] = {
    "tool_use": "task.tool_use",
    "tool": "task.tool_use",
    "file_change": "task.file_change",
    "file_edit": "task.file_change",
    "file.edited": "task.file_change",
}


@frozen(kw_only=True)
class OutputChunk:
    """A piece of a run's output on ``stdout`` or ``stderr``; ``event`` is the agent's own JSON, if it spoke any."""

    text: str
    stream: str = "stdout"
    at: datetime | None = None
    event: Mapping[str, Any] | None = Factory(lambda: None)


def understood(chunk: OutputChunk) -> Mapping[str, Any] | None:
    """The JSON object that the chunk is, given as such or as text with a ``type``; ``None`` for plain text."""
    if chunk.event is not None:
        return chunk.event
    value = _json(chunk)
    return value if value is not None and isinstance(value.get("type"), str) else None


def session_of(chunk: OutputChunk) -> SessionId | None:
    """The agent's session, if the chunk is JSON that names it: an id that begins with ``ses_``.

    A runner's own event of the type ``session`` may name any.
    """
    value = chunk.event
    own = value is not None and value.get("type") == "session"
    if value is None and _SESSION_PREFIX in chunk.text:
        value = _json(chunk)
    if value is None:
        return None
    for member in _SESSION_MEMBERS:
        id = value.get(member)
        if isinstance(id, str) and (own or id.startswith(_SESSION_PREFIX)) and 0 < len(id) <= _LONGEST_SESSION:
            return SessionId(id)
    return None


def _json(chunk: OutputChunk) -> Mapping[str, Any] | None:
    """The JSON object that the text is."""
    return read_object(chunk.text) if chunk.text.startswith("{") else None


def output_event(task: Task, grant: Grant, chunk: OutputChunk, now: datetime, *, trailing: bool = False) -> Event:
    """The event of one chunk; ``trailing`` marks what arrived after a cancel."""
    data: dict[str, Any] = {
        "task_id": task.id,
        "worker_id": grant.worker,
        "attempt": grant.number,
        "stream": chunk.stream,
        "output": chunk.text,
    }
    if chunk.at is not None:
        data["produced_at"] = chunk.at
    if trailing:
        data["after_cancel"] = True
    event = understood(chunk)
    kind = "task.output"
    if event is not None:
        data["event"] = event
        kind = _KINDS.get(str(event.get("type")), kind)
    return Event(Topic.task(task.tenant, task.spec.codebase, task.id), kind, now, data)
