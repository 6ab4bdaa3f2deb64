"""What a run prints, as an artifact.

Standard output is one artifact of text: what agents say in JSON is told by its text. A later attempt's takes the place
of an earlier one's. Standard error is nobody's but the operator's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["OUTPUT", "QUIET", "printed"]

OUTPUT: Final = "output"
"""The id, and the name, of the artifact."""

QUIET: Final = frozenset({"step_start", "step_finish"})
"""Types of what agents print that say nothing to anybody."""


def printed(data: Mapping[str, Any]) -> str:
    """The text of a piece of output, given its record's data; empty where there is none to be told."""
    if data.get("stream") != "stdout":
        return ""
    event = data.get("event")
    if not isinstance(event, Mapping):
        return str(data.get("output", ""))
    if event.get("type") != "text":
        return ""
    part = event.get("part")
    text = part.get("text") if isinstance(part, Mapping) else event.get("text")
    return text if isinstance(text, str) else ""
