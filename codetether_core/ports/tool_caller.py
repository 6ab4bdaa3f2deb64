"""Using tools of servers elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from codetether_core.tool_servers import OfferedTool, ToolAnswer, ToolServer

__all__ = ["ToolCaller"]


class ToolCaller(Protocol):
    """Speaks a protocol of tools, wherever requests may go.

    ``credential`` is what the server knows us by, if anything (its ``sign_in`` says how it is told). Both calls raise
    ``Invalid`` if the server may not be asked or answers what is against its protocol, or more than is taken;
    ``Unavailable`` if it cannot be reached, refuses us, or is not done in the server's ``timeout``.
    """

    async def tools(self, server: ToolServer, credential: str = "") -> Sequence[OfferedTool]:
        """All that the server offers to us, in its order."""
        ...

    async def call(
        self, server: ToolServer, tool: str, arguments: Mapping[str, Any], credential: str = ""
    ) -> ToolAnswer:
        """Use a tool, once: what was sent is never sent again. A cancelled call is withdrawn at the server too."""
        ...
