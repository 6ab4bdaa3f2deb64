"""Servers elsewhere that speak the Model Context Protocol, whose tools our runs use (the port ``ToolCaller``).

Requests go through a transport that is given: where it will not go, nothing here goes. The protocol is spoken by hand,
since its own library's client compiles what strangers write in schemas, tries again by itself what was cut, and has an
HTTP client that the guard does not know.
"""

from codetether_adapters.mcp_servers.servers import open_tool_servers

__all__ = ["open_tool_servers"]
