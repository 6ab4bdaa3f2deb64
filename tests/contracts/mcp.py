"""The tools of MCP, as contracts."""

from __future__ import annotations

import json

from codetether_adapters.mcp.tools import TOOLS

__all__ = ["tools"]


def tools() -> str:
    """All that there are, in the words in which clients list them."""
    return json.dumps([tool.shown() for tool in TOOLS], indent=2, ensure_ascii=False) + "\n"
