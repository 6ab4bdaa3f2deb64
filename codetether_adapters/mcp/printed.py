"""What a run prints, as text: what agents say in JSON by its words, the tools that they use by their names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from codetether_core.events import Record

__all__ = ["printed"]


def printed(record: Record) -> str:
    """The text of a piece of output; empty where there is none to be told."""
    data = json.loads(record.body)
    event = data.get("event")
    if not isinstance(event, Mapping):
        return str(data.get("output", ""))
    part = event.get("part")
    told: Mapping[str, Any] = part if isinstance(part, Mapping) else event
    if event.get("type") == "text":
        return _line(told.get("text"))
    if record.kind == "task.tool_use":
        return f"[{_line(told.get('tool') or told.get('name')).strip() or 'tool'}]\n"
    if record.kind == "task.file_change":
        return f"[changed {_line(told.get('path') or told.get('file')).strip() or 'a file'}]\n"
    return ""


def _line(text: object) -> str:
    return "" if not isinstance(text, str) or not text else text if text.endswith("\n") else f"{text}\n"
