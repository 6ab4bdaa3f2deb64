"""Where resources are."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

__all__ = [
    "AGENTS",
    "CODEBASES",
    "STATUS",
    "card_uri",
    "codebase_uri",
    "output_uri",
    "session_uri",
    "task_uri",
]

CODEBASES: Final = "ct://codebases"
AGENTS: Final = "ct://agents"
STATUS: Final = "ct://status"


def codebase_uri(id: str) -> str:
    """A codebase."""
    return f"{CODEBASES}/{_part(id)}"


def task_uri(id: str) -> str:
    """A task."""
    return f"ct://tasks/{_part(id)}"


def output_uri(id: str) -> str:
    """What a task has printed."""
    return f"{task_uri(id)}/output"


def session_uri(id: str) -> str:
    """A conversation."""
    return f"ct://sessions/{_part(id)}"


def card_uri(name: str) -> str:
    """What an agent says of itself."""
    return f"{AGENTS}/{_part(name)}/card"


def _part(text: str) -> str:
    return quote(text, safe="", errors="replace")
