"""The server as an ASGI application that answers one endpoint: Streamable HTTP of both eras.

Nothing outlives its request: a manager is made for each, so that what is done for a request is done within it, is
cancelled with it and counts as its caller's, and no replica knows anything of a client.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import define, field
from mcp.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from codetether_adapters.mcp.answering import Receive, Scope, Send
from codetether_adapters.mcp.binding import CALLER, run_server_of, server_of
from codetether_adapters.mcp.caller import Caller
from codetether_adapters.mcp.run_tools import RunTools
from codetether_adapters.mcp.served import Served

__all__ = ["Endpoint"]

_NO_LIMIT: Final = 2**62
"""Of the body, which was read before."""


@define(eq=False)
class Endpoint:
    """Answers (``answering.Answering``)."""

    server: Server[Any] = field(repr=False)

    @classmethod
    def of(cls, served: Served, key: bytes | None = None) -> Endpoint:
        """The endpoint of what is served; ``key`` is the installation's."""
        return cls(server_of(served, key))

    @classmethod
    def of_runs(cls, tools: RunTools) -> Endpoint:
        """The endpoint where runs find tools."""
        return cls(run_server_of(tools))

    async def answer(self, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer (ASGI). Who takes only JSON gets that, and is not told how far things have come."""
        manager = StreamableHTTPSessionManager(
            self.server, stateless=True, json_response=_takes_json_only(scope), max_request_body_size=_NO_LIMIT
        )
        async with manager.run():
            await manager.handle_request({**scope, CALLER: caller}, receive, send)


def _takes_json_only(scope: Scope) -> bool:
    accepted = b",".join(value for name, value in scope["headers"] if name == b"accept")
    return b"application/json" in accepted and b"text/event-stream" not in accepted
