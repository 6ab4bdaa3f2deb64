"""Tasks and their output as the deployed 1.4.3 server told them, for the pages and clients that it left behind.

``status``, ``message``, ``tool`` and whatever type an agent's own JSON has; a result is told as a last ``message``.
Ours are the ids, so that its readers can resume as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from codetether_adapters.http.resources.following import Dialect
from codetether_adapters.http.responses import encode_json
from codetether_adapters.sse import json_frame
from codetether_core.codebases import Codebase
from codetether_core.codec import timestamp
from codetether_core.events import Record
from codetether_core.tasks import CHANGE_KINDS, OUTPUT_KINDS, Task, TaskState

__all__ = ["DEPLOYED", "greeting"]

_EVENT_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)
_OURS: Final = frozenset({"connected", "message", "resync", "status"})
"""Names that an agent's output cannot take: what it prints under one of them is told as the text that it is."""


def greeting(codebase: str, known: Codebase | None) -> bytes:
    """The first frames of a codebase's stream; ``known`` is ``None`` for the codebases that are none."""
    worker = min(known.workers, default=None) if known else None
    connected = {
        "codebase_id": codebase,
        "workspace_id": codebase,
        "status": "connected",
        "remote": True,
        "worker_id": worker,
    }
    offline = known is not None and worker is None
    status = {
        "status": "offline" if offline else "idle",
        "message": "No worker serves this codebase"
        if offline
        else "Remote worker codebase - streaming task output/results",
    }
    return _frame("connected", connected) + _frame("status", status)


def _render(record: Record, cursor: str) -> bytes:
    data: dict[str, Any] = orjson.loads(record.body)
    if record.kind in OUTPUT_KINDS:
        return _frame(*_output(data, timestamp(record.at)), cursor)
    if record.kind in ("task.stopped", "task.artifact"):
        return b""
    status, words = _status(data, timestamp(record.at)), _last_words(data)
    if words is None:
        return _frame("status", status, cursor)
    return _frame("status", status) + _frame("message", words, cursor)


def _output(data: Mapping[str, Any], at: str) -> tuple[str, dict[str, Any]]:
    """A piece of output, by what the agent meant by it."""
    event = data.get("event")
    ids = {"task_id": data["task_id"], "worker_id": data["worker_id"], "session_id": None, "timestamp": at}
    if not isinstance(event, dict):
        return "message", {"type": "text", "content": data["output"], **ids}
    ids["session_id"] = next((event[name] for name in ("sessionID", "session_id", "sessionId") if name in event), None)
    kind, part = event.get("type"), event.get("part")
    part = part if isinstance(part, dict) else {}
    match kind:
        case "text":
            return "message", {"type": "text", "content": part.get("text", event.get("text", "")), **ids}
        case "step_start" | "step_finish":
            return "status", {"type": kind, **ids}
        case "tool_use":
            return "tool", {"type": kind, "tool": part.get("tool"), "state": part.get("state"), **ids}
        case str() if kind in _OURS:
            return "message", {"type": "text", "content": data["output"], **ids}
        case str() if _EVENT_NAME.fullmatch(kind):
            return kind, {**event, **ids}
        case _:
            return "message", {**event, **ids}


def _status(data: Mapping[str, Any], at: str) -> dict[str, Any]:
    return {
        "status": data["status"],
        "message": f"Task: {data['title']} ({data['status']})",
        "task_id": data["task_id"],
        "worker_id": data["worker_id"],
        "session_id": data["session_id"],
        "timestamp": at,
    }


def _last_words(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is told after the end: the result, or the error."""
    match data["status"]:
        case TaskState.COMPLETED if data.get("result"):
            return {"type": "text", "content": data["result"], "task_id": data["task_id"]}
        case TaskState.FAILED:
            return {
                "type": "error",
                "message": data.get("error"),
                "task_id": data["task_id"],
                "title": data["title"],
                "worker_id": data["worker_id"],
            }
        case _:
            return None


def _ending(task: Task) -> bytes:
    data = {
        "status": task.state,
        "title": task.spec.title,
        "task_id": task.id,
        "worker_id": task.grant and task.grant.worker,
        "session_id": task.session,
        "result": task.result,
        "error": task.error,
    }
    status = _frame("status", _status(data, timestamp(task.updated_at)))
    words = _last_words(data)
    return status + _frame("message", words) if words else status


def _frame(event: str, data: Mapping[str, Any], cursor: str = "") -> bytes:
    return json_frame(encode_json(data), event=event, id=cursor or None)


DEPLOYED: Final = Dialect("deployed", (*CHANGE_KINDS, *OUTPUT_KINDS), _render, _ending)
"""Every change and all output, as 1.4.3 has them."""
