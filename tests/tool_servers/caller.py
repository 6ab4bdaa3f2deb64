"""A server of tools that is not there (port ``ToolCaller``): it has what a test gives it, and remembers who asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field

from codetether_core.errors import CodeTetherError
from codetether_core.tool_servers import OfferedTool, ToolAnswer, ToolServer

__all__ = ["Caller", "tool"]


def tool(name: str, **more: Any) -> OfferedTool:
    """One that takes nothing."""
    return OfferedTool(name=name, arguments={"type": "object"}, **more)


@define(eq=False)
class Caller:
    """``asked`` has every server that was asked, with the credential that it was shown."""

    offered: Sequence[OfferedTool] = (tool("search", title="Search", description="Finds issues"), tool("delete"))
    refusal: CodeTetherError | None = None
    asked: list[tuple[ToolServer, str]] = field(factory=list)

    async def tools(self, server: ToolServer, credential: str = "") -> Sequence[OfferedTool]:
        self.asked.append((server, credential))
        if self.refusal is not None:
            raise self.refusal
        return self.offered

    async def call(
        self, server: ToolServer, tool: str, arguments: Mapping[str, Any], credential: str = ""
    ) -> ToolAnswer:
        raise NotImplementedError
