"""How a server says no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from codetether_core.errors import Invalid

__all__ = ["Refused", "unfit"]

_CODE: Final = "tool_server_unfit"


class Refused(Exception):
    """It answers with an error of JSON-RPC; or, without ``code``, with what is none, or a ``status`` alone.

    The status says that it takes no such request. ``message`` is what it says, as much of it as may be told.
    """

    def __init__(self, code: int | None, message: str, /, data: Any = None, *, status: int = 200) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.data: Mapping[str, Any] = data if isinstance(data, dict) else {}


def unfit(problem: str) -> Invalid:
    """What the server does is against its protocol, or more than is taken."""
    return Invalid("url", f"leads to a server that {problem}", hint="ask whoever runs the server", code=_CODE)
