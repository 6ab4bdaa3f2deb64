"""Tools of servers elsewhere, as the runs of tasks find them here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from anyio import get_cancelled_exc_class, move_on_after
from attrs import field, frozen

from codetether_adapters.mcp.beats import beating
from codetether_adapters.mcp.caller import Exchange, Held
from codetether_adapters.mcp.errors import error_result
from codetether_adapters.mcp.paging import offset_in
from codetether_adapters.mcp.served import Identity
from codetether_core.errors import CodeTetherError, Unauthenticated
from codetether_core.ids import ApprovalId
from codetether_core.services import ToolUsing
from codetether_core.tool_servers import OfferedTool, ToolAnswer, ToolServer, tool_name

__all__ = ["RunTools"]

_LIST_MS: Final = 60_000
_TAKING_BACK: Final = 5.0
"""Seconds for what a client that has gone leaves to be done."""

_WAITS: Final = "waiting for a person to allow it, or for the tool"
_PROBLEMS: Final = "codetether/problems"
_INSTRUCTIONS: Final = (
    "Tools of servers that your operators registered, named <server>__<tool>. A use may have to be allowed by a person,"
    " whom the call waits for; do not call again meanwhile. Nobody vouches for what a server says of its tools."
)


@frozen
class RunTools:
    """Lists and calls them, for whoever shows the lease."""

    using: ToolUsing = field(repr=False)
    version: str = "0"

    @property
    def identity(self) -> Identity:
        """Who serves."""
        return Identity(
            name="codetether-runs",
            title="Tools of this run",
            version=self.version,
            description="Tools that this run may use",
            instructions=_INSTRUCTIONS,
        )

    async def list(self, exchange: Exchange, cursor: str | None) -> Mapping[str, Any]:
        """``tools/list``: those that the policy does not deny; of servers that have none now it says why."""
        if cursor is not None:
            offset_in(cursor)  # there is one page
        held = _held(exchange)
        offering = await self.using.offered(exchange.principal.tenant, held.word, held.task)
        shown = [_shown(server, tool) for server, tool in offering.tools]
        meta = {"_meta": {_PROBLEMS: {**offering.problems}}} if offering.problems else {}
        return {"tools": shown, "resultType": "complete", "ttlMs": _LIST_MS, "cacheScope": "private", **meta}

    async def call(self, exchange: Exchange, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """``tools/call``: what the tool answers, or why it was not used, in words."""
        held, tenant, asked = _held(exchange), exchange.principal.tenant, list[ApprovalId]()
        try:
            async with beating(exchange, self.using.clock, _WAITS):
                answer = await self.using.use(
                    tenant, held.word, held.task, name, arguments, actor=held.actor, asked=asked.append
                )
        except get_cancelled_exc_class():
            with move_on_after(_TAKING_BACK, shield=True):
                for id in asked:
                    await self.using.take_back(tenant, held.word, id)
            raise
        except CodeTetherError as error:
            exchange.caller.failed = True
            return error_result(error)
        return _told(answer)


def _held(exchange: Exchange) -> Held:
    if exchange.caller.holds is None:
        raise Unauthenticated("This is for the runs of tasks")
    return exchange.caller.holds


def _shown(server: ToolServer, tool: OfferedTool) -> Mapping[str, Any]:
    shown: dict[str, Any] = {
        "name": tool_name(server.name, tool.name),
        "description": tool.description,
        "inputSchema": tool.arguments,
    }
    more = {"title": tool.title, "outputSchema": tool.result, "annotations": tool.hints or None}
    return shown | {name: value for name, value in more.items() if value is not None}


def _told(answer: ToolAnswer) -> Mapping[str, Any]:
    told: dict[str, Any] = {"resultType": "complete", "content": [*answer.content], "isError": answer.failed}
    return told if answer.data is None else told | {"structuredContent": answer.data}
