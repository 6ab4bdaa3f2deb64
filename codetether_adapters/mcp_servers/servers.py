"""Asking servers for their tools, and using them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import httpx
from attrs import define, field

from codetether_adapters.mcp_servers.eras import client_info
from codetether_adapters.mcp_servers.failures import Refused, unfit
from codetether_adapters.mcp_servers.reading import answer_of, tools_in
from codetether_adapters.mcp_servers.talk import Talk
from codetether_adapters.mcp_servers.wire import Wire
from codetether_core.errors import CodeTetherError, Invalid, Unavailable
from codetether_core.ports import ToolCaller
from codetether_core.tool_servers import OfferedTool, ToolAnswer, ToolServer

__all__ = ["MOST_PAGES", "MOST_TOOLS", "open_tool_servers"]

MOST_TOOLS: Final = 1_000
MOST_PAGES: Final = 100
_FAREWELL: Final = 5.0
"""Seconds for telling a server that we go, which nobody waits for."""

_THEIR_FAULT: Final = -32603


@asynccontextmanager
async def open_tool_servers(transport: httpx.AsyncBaseTransport, version: str = "0") -> AsyncIterator[ToolCaller]:
    """Speaks to servers over the transport, as the release ``version`` of ours; what it has begun ends with it."""
    servers = _Servers(transport, client_info(version))
    try:
        yield servers
    finally:
        await servers.leave()


@define(eq=False)
class _Servers:
    """The port ``ToolCaller``."""

    transport: httpx.AsyncBaseTransport
    client: Mapping[str, str]
    _farewells: set[asyncio.Task[None]] = field(factory=set, init=False)

    async def tools(self, server: ToolServer, credential: str = "") -> Sequence[OfferedTool]:
        """As the port has it; tools whose name or schema will not do are left out."""
        async with self._talk(server, credential) as talk:
            found: dict[str, OfferedTool] = {}
            cursor: object = None
            for _ in range(MOST_PAGES):
                page = await talk.ask("tools/list", {} if cursor is None else {"cursor": cursor})
                for tool in tools_in(page):
                    found.setdefault(tool.name, tool)
                if len(found) > MOST_TOOLS:
                    raise unfit(f"lists more than {MOST_TOOLS:,} tools")
                cursor = page.get("nextCursor")
                if not isinstance(cursor, str):
                    return [*found.values()]
            raise unfit(f"lists its tools on more than {MOST_PAGES} pages")

    async def call(
        self, server: ToolServer, tool: str, arguments: Mapping[str, Any], credential: str = ""
    ) -> ToolAnswer:
        """As the port has it."""
        async with self._talk(server, credential) as talk:
            return answer_of(await talk.ask("tools/call", {"name": tool, "arguments": arguments}))

    async def leave(self) -> None:
        """Wait for nothing that is not soon done."""
        if self._farewells:
            await asyncio.wait(self._farewells, timeout=_FAREWELL)

    @asynccontextmanager
    async def _talk(self, server: ToolServer, credential: str) -> AsyncIterator[Talk]:
        """A talk that has begun, within the server's time; whatever goes wrong in it is one of the port's errors."""
        talk = Talk(Wire(self.transport, server, credential), self.client)
        try:
            async with asyncio.timeout(server.timeout.total_seconds()):
                await talk.begin()
                yield talk
        except TimeoutError:
            raise Unavailable(
                f"{server.name} was not done within {server.timeout.total_seconds():g} seconds",
                hint="give it more time (timeout), or ask it for less",
            ) from None
        except Refused as refusal:
            if refusal.code is None:
                raise unfit(f"does not speak the protocol: {refusal.message}") from None
            words = f"{server.name} says: {refusal.message}"
            if refusal.code == _THEIR_FAULT:
                raise Unavailable(words) from None
            raise Invalid("", words, hint="look at the tool's schema", code="tool_refused") from None
        finally:
            if talk.owes_farewell:
                leaving = asyncio.create_task(_take_leave(talk))
                self._farewells.add(leaving)
                leaving.add_done_callback(self._farewells.discard)


async def _take_leave(talk: Talk) -> None:
    """A server that cannot be told has noticed by itself."""
    with suppress(CodeTetherError, Refused, TimeoutError):
        async with asyncio.timeout(_FAREWELL):
            await talk.farewell()
