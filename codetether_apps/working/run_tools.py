"""Where the agent of a run finds the tools that it may use."""

from __future__ import annotations

from codetether_adapters.client import Claimed
from codetether_core.ports import ToolAccess

__all__ = ["tool_access"]


def tool_access(server: str, claimed: Claimed) -> ToolAccess | None:
    """With the lease's token in place of what this worker is known by; ``None`` where the server has no tools.

    ``server`` is its address as it may be shown.
    """
    if claimed.tools_path is None:
        return None
    return ToolAccess(url=f"{server.rstrip('/')}{claimed.tools_path}", token=claimed.lease.token)
