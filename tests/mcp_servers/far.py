"""Servers elsewhere: of the protocol's own library, in either era, and ones that a test has misbehave."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import uvicorn
from attrs import define, field
from mcp import types
from mcp.server import Server
from starlette.types import Receive, Scope, Send

from codetether_core.access import DEFAULT_TENANT
from codetether_core.tool_servers import ToolServer

__all__ = ["Library", "Said", "misbehaving", "of_library", "server_at"]

Said = Callable[[asyncio.StreamWriter, Mapping[str, str], Any], Awaitable[None]]
"""Answers one request, of which it is given the headers and the JSON."""

_ECHO = types.Tool(
    name="echo",
    title="Echo",
    description="Says it again",
    input_schema={"type": "object", "properties": {"words": {"type": "string"}}, "required": ["words"]},
    output_schema={"type": "object", "properties": {"words": {"type": "string"}}},
    annotations=types.ToolAnnotations(read_only_hint=True),
)
_SLOW = types.Tool(name="slow", input_schema={"type": "object"})
_BROKEN = types.Tool(name="broken", input_schema={"type": "object"})
_WRONG = types.Tool(name="wrong name", input_schema={"type": "object"})
_LARGE = types.Tool(name="large", input_schema={"type": "object", "description": "x" * 70_000})


def server_at(url: str, **more: Any) -> ToolServer:
    """It, registered."""
    known: dict[str, Any] = {"name": "far", "tenant": DEFAULT_TENANT, "url": url, "registered_by": "alice"}
    patience = timedelta(seconds=20)
    return ToolServer(**{**known, "registered_at": datetime(2026, 11, 29, tzinfo=UTC), "timeout": patience, **more})


@define(eq=False)
class Library:
    """A server of the library's, and what it saw. ``slow`` begins, and ends when it is ``withdrawn``."""

    url: str = ""
    headers: list[dict[str, str]] = field(factory=list)
    methods: list[str] = field(factory=list)
    calls: list[str] = field(factory=list)
    begun: Event = field(factory=Event)
    withdrawn: Event = field(factory=Event)


@contextmanager
def of_library(*, handshake: bool, page: int = 2) -> Iterator[Library]:
    """One in a thread: of today's era without sessions, or one that knows nothing but handshakes, and has sessions."""
    seen, tools = Library(), [_ECHO, _WRONG, _LARGE, _SLOW, _BROKEN]

    async def list_tools(context: Any, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        at = int(params.cursor or 0) if params else 0
        more = str(at + page) if at + page < len(tools) else None
        return types.ListToolsResult(tools=tools[at : at + page], next_cursor=more)

    async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        seen.calls.append(params.name)
        if params.name == "echo":
            said = (params.arguments or {})["words"]
            return types.CallToolResult(
                content=[types.TextContent(type="text", text=said)], structured_content={"words": said}
            )
        if params.name == "slow":
            seen.begun.set()
            try:
                await asyncio.sleep(60)
            finally:
                seen.withdrawn.set()
        return types.CallToolResult(content=[types.TextContent(type="text", text="it broke")], is_error=True)

    library = Server("far", on_list_tools=list_tools, on_call_tool=call_tool)
    app = library.streamable_http_app(streamable_http_path="/mcp", stateless_http=not handshake)

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            seen.methods.append(scope["method"])
            seen.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
            if handshake:
                scope = {**scope, "headers": [each for each in scope["headers"] if each[1] != b"2026-07-28"]}
        await app(scope, receive, send)

    listening = socket.create_server(("127.0.0.1", 0))
    seen.url = f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
    server = uvicorn.Server(uvicorn.Config(watched, log_level="critical", ws="none", timeout_graceful_shutdown=1))
    thread = Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@asynccontextmanager
async def misbehaving(say: Said) -> AsyncIterator[str]:
    """The address of one that answers as ``say`` does, whatever it is asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            await say(writer, headers, json.loads(body or b"null"))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"
    finally:
        server.close()
