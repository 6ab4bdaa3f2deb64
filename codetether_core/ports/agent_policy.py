"""What an agent may do."""

from __future__ import annotations

from typing import Protocol

from codetether_core.access import ToolRequest, Verdict

__all__ = ["AgentPolicy"]


class AgentPolicy(Protocol):
    """Decides before a human is asked."""

    async def judge(self, request: ToolRequest) -> Verdict:
        """What becomes of the wish: ``UNDEFINED`` where nothing is said of it, ``POLICY_FAILED`` if deciding fails."""
        ...
