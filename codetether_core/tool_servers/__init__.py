"""Servers elsewhere that offer tools, and what they say of them."""

from codetether_core.tool_servers.offered_tool import OfferedTool, ToolAnswer
from codetether_core.tool_servers.tool_server import ToolServer, offers, tool_name

__all__ = ["OfferedTool", "ToolAnswer", "ToolServer", "offers", "tool_name"]
