"""MCP's paths, passed on to a server elsewhere with whatever the client shows, and nothing of our own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from attrs import frozen
from starlette.types import Receive, Scope, Send

from codetether_adapters.client.relay import Relay
from codetether_adapters.http import METADATA, Drain, Limits
from codetether_adapters.http.bodies import read_body
from codetether_adapters.http.headers import Headers
from codetether_adapters.http.problems import problem
from codetether_adapters.http.streams import departure
from codetether_core.errors import CodeTetherError, NotFound, Unavailable

__all__ = ["Relaying"]

_SHORT: Final = "/mcp"
_PLACES: Final = (_SHORT, METADATA)
_PROBES: Final = ("/health", "/livez", "/readyz")
_PASSED_ON: Final = frozenset(
    {b"accept", b"authorization", b"content-type", b"last-event-id", b"origin", b"traceparent", b"tracestate"}
)
_PASSED_BACK: Final = frozenset(
    {b"access-control-allow-origin", b"allow", b"cache-control", b"content-type", b"retry-after", b"www-authenticate",
     b"x-accel-buffering", b"x-content-type-options", b"x-request-id"}
)  # fmt: skip


@frozen(eq=False)
class Relaying:
    """The ASGI application. The server has MCP below ``prefix``."""

    relay: Relay
    drain: Drain
    limits: Limits
    prefix: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer (ASGI); when the client goes or we leave, the server hears no more of it."""
        if scope["type"] != "http":
            return
        passing = asyncio.ensure_future(self._pass_on(scope, receive, send))

        def cut() -> None:
            passing.cancel()

        try:
            with self.drain.watched(cut):
                await asyncio.wait({passing})
        finally:
            cut()
            await asyncio.wait({passing})
        if not passing.cancelled():
            passing.result()

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, started = Headers(scope["headers"]), False
        try:
            path = self._path(scope["path"])
            body = await read_body(receive, headers, self.limits.body, self.limits.patience)
            query = b"?" + scope["query_string"] if scope["query_string"] else b""
            sent = [(name, value) for name, value in scope["headers"] if name in _PASSED_ON or name.startswith(b"mcp-")]
            async with self.relay.send(scope["method"], f"{path}{query.decode('latin-1')}", sent, body) as answer:
                gone = asyncio.ensure_future(departure(receive))
                this = asyncio.current_task()
                gone.add_done_callback(lambda gone: None if gone.cancelled() or this is None else this.cancel())
                try:
                    started = True
                    await send(
                        {"type": "http.response.start", "status": answer.status, "headers": _back(answer.headers)}
                    )
                    async for chunk in answer.chunks:
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
                finally:
                    gone.cancel()
        except CodeTetherError as error:
            if not started:
                told = error if isinstance(error, NotFound) else _unavailable(error)
                await problem(told, headers.get("x-request-id") or "", headers)(scope, receive, send)

    def _path(self, path: str) -> str:
        if path in _PROBES:
            return path
        for place in _PLACES:
            if path == place or path.startswith(f"{place}/"):
                return f"{self.prefix}{path}" if place == _SHORT else path
        raise NotFound("route", path)


def _back(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in headers if name.lower() in _PASSED_BACK]


def _unavailable(error: CodeTetherError) -> CodeTetherError:
    """What keeps us from the server, as our own client is to be told."""
    if error.code != "connection_failed":
        return error
    return Unavailable(error.message, hint=error.hint)
