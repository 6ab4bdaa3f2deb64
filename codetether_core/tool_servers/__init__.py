"""Servers elsewhere that offer tools, and what they say of them."""

from codetether_core.tool_servers.health import ToolServerHealth
from codetether_core.tool_servers.offered_tool import OfferedTool, ToolAnswer
from codetether_core.tool_servers.registering import changed, registered, signing_in
from codetether_core.tool_servers.tool_server import ToolServer, offers, server_in, tool_name

__all__ = [
    "OfferedTool",
    "ToolAnswer",
    "ToolServer",
    "ToolServerHealth",
    "changed",
    "offers",
    "registered",
    "server_in",
    "signing_in",
    "tool_name",
]
