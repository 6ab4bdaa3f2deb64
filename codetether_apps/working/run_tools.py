"""What a run is told so that its agent finds the tools that it may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from codetether_adapters.client import Claimed

__all__ = ["PROOF", "tool_variables"]

PROOF: Final = "CODETETHER_MCP_TOKEN"
_URL: Final = "CODETETHER_MCP_URL"


def tool_variables(server: str, claimed: Claimed) -> Mapping[str, str]:
    """Where they are, and the lease's token, which is good for nothing else; nothing where the server has none.

    ``server`` is its address as it may be shown: what this worker is known by is none of the agent's affairs.
    """
    if claimed.tools_path is None:
        return {}
    return {_URL: f"{server.rstrip('/')}{claimed.tools_path}", PROOF: claimed.lease.token}
