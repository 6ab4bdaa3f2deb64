"""How a tool server was when it was last asked."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from codetether_core.tool_servers.offered_tool import OfferedTool
from codetether_core.tool_servers.tool_server import ToolServer, offers

__all__ = ["ToolServerHealth"]


@frozen(kw_only=True)
class ToolServerHealth:
    """What came of asking a ``server`` for its ``tools`` at that moment: all that it has, or a ``problem``.

    ``hint`` says what to do about the problem, where that is known.
    """

    server: ToolServer
    at: datetime
    tools: tuple[OfferedTool, ...] = ()
    problem: str | None = None
    hint: str = ""

    @property
    def offered(self) -> tuple[OfferedTool, ...]:
        """Those of its tools that are meant for our runs."""
        return tuple(tool for tool in self.tools if offers(self.server, tool.name))
