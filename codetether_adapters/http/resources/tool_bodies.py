"""Which use of a tool a worker wants leave for."""

from __future__ import annotations

from typing import Final

from codetether_core.access import ToolUse
from codetether_core.approvals import ApprovalKind
from codetether_core.errors import Invalid

__all__ = ["declared"]

_LONGEST_NAME: Final = 200
_LONGEST_COMMAND: Final = 16_384
_LONGEST_PATHS: Final = 16_384
_MOST_PATHS: Final = 100
_MOST_PARTS: Final = 1000
"""A policy looks at each by itself, and everybody waits while it does."""


def declared(kind: ApprovalKind, tool: ToolUse | None) -> ToolUse | None:
    """The tool of a question of that kind; ``Invalid`` where there can be none, or for one out of bounds."""
    if tool is None:
        return None
    if kind is not ApprovalKind.PERMISSION:
        raise Invalid("tool", "belongs to a question of the kind permission alone")
    if not 1 <= len(tool.name) <= _LONGEST_NAME:
        raise Invalid("tool.name", f"must have 1 to {_LONGEST_NAME} characters")
    if tool.command is not None and len(tool.command) > _LONGEST_COMMAND:
        raise Invalid("tool.command", f"must have at most {_LONGEST_COMMAND:,} characters")
    if len(tool.paths) > _MOST_PATHS or sum(map(len, tool.paths)) > _LONGEST_PATHS:
        raise Invalid("tool.paths", f"must be at most {_MOST_PATHS}, of {_LONGEST_PATHS:,} characters in all at most")
    if sum(path.count("/") for path in tool.paths) > _MOST_PARTS:
        raise Invalid("tool.paths", f"must have at most {_MOST_PARTS:,} parts in all")
    return tool
