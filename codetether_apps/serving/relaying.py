"""MCP's paths, passed on to a server elsewhere with whatever the client shows, and nothing of our own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from attrs import evolve, field, frozen
from starlette.types import Message, Receive, Scope, Send

from codetether_adapters.client.relay import Relay, Relayed
from codetether_adapters.http import Drain, EventStream, Json, Limits
from codetether_adapters.http.bodies import Disconnected, read_body
from codetether_adapters.http.framing import check_framing
from codetether_adapters.http.headers import Headers
from codetether_adapters.http.origins import require_own_host
from codetether_adapters.http.problems import CLOSING, problem
from codetether_adapters.http.site import Site
from codetether_adapters.http.streams import departure
from codetether_adapters.mcp.envelope import asked_in, message_in
from codetether_apps.serving.readdressing import challenged, document_at
from codetether_core.errors import CodeTetherError, NotFound, Unavailable

__all__ = ["Relaying"]

_SHORT: Final = "/mcp"
_RPC: Final = f"{_SHORT}/v1/rpc"
_TOOLS: Final = f"{_SHORT}/v1/tools"
_TASKS: Final = f"{_SHORT}/v1/tasks"
_ALIVE: Final = "/livez"
_PROBES: Final = frozenset({"/health", "/readyz"})
_LISTEN: Final = "subscriptions/listen"
_EVENTS: Final = b"text/event-stream"
_CHALLENGE: Final = b"www-authenticate"
_PASSED_ON: Final = frozenset(
    {b"accept", b"authorization", b"content-type", b"if-none-match", b"last-event-id", b"origin", b"sec-fetch-site",
     b"traceparent", b"tracestate"}
)  # fmt: skip
_PASSED_BACK: Final = frozenset(
    {b"access-control-allow-headers", b"access-control-allow-methods", b"access-control-allow-origin",
     b"access-control-expose-headers", b"allow", b"cache-control", b"content-type", b"etag", b"retry-after", _CHALLENGE,
     b"x-accel-buffering", b"x-content-type-options", b"x-request-id"}
)  # fmt: skip


@frozen(eq=False)
class Relaying:
    """The ASGI application. The server has MCP below ``prefix``; clients find us where ``site`` says."""

    relay: Relay
    drain: Drain
    limits: Limits
    prefix: str = ""
    site: Site = field(factory=Site)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer (ASGI); when the client goes, the server hears no more of it."""
        if scope["type"] != "http":
            return
        passing = asyncio.ensure_future(self._answer(scope, receive, send))
        try:
            await asyncio.wait({passing})
        finally:
            passing.cancel()
            await asyncio.wait({passing})
        if not passing.cancelled():
            passing.result()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope["headers"])
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            check_framing(scope, headers)
            if scope["path"] == _ALIVE and scope["method"] in ("GET", "HEAD"):
                await Json({"status": "alive"})(scope, receive, sending)
                return
            if scope["path"] not in _PROBES:
                require_own_host(self.site, scope, headers)
            path, address = _path(scope), self.site.address(scope, headers)
            document = document_at(path, address, self.prefix)
            target = f"{document.path if document else self._place(path)}{_query(scope)}"
            if self.drain.begun:
                raise Unavailable("This server is shutting down", hint="connect again")
            body = await read_body(receive, headers, self.limits.body, self.limits.patience)
            sent = [(name, value) for name, value in scope["headers"] if name in _PASSED_ON or name.startswith(b"mcp-")]
            async with self.relay.send(scope["method"], target, sent, body) as answer:
                told = evolve(
                    answer,
                    headers=_back(answer.headers, f"{address}{_SHORT if path == _SHORT else _RPC}"),
                    chunks=document.readdressed(answer.chunks) if document else answer.chunks,
                )
                await self._pass_back(told, body, scope, receive, sending)
        except Disconnected:
            return
        except CodeTetherError as error:
            if not started:
                refusal = problem(_told(error), headers.get("x-request-id") or "", headers)
                if isinstance(error, CLOSING) and scope["http_version"].startswith("1."):
                    refusal.raw_headers.append((b"connection", b"close"))
                with suppress(Disconnected):
                    await refusal(scope, receive, send)

    async def _pass_back(self, answer: Relayed, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """What comes. When we leave, a stream that goes on for ever is ended, and what is under way is answered."""
        if dict(answer.headers).get(b"content-type", b"").startswith(_EVENTS):
            drain = self.drain if _listens(body) else Drain()
            await EventStream(answer.chunks, drain=drain, headers=answer.headers)(scope, receive, send)
            return
        gone, this = asyncio.ensure_future(departure(receive)), asyncio.current_task()
        gone.add_done_callback(lambda gone: None if gone.cancelled() or this is None else this.cancel())
        try:
            await send({"type": "http.response.start", "status": answer.status, "headers": [*answer.headers]})
            async for chunk in answer.chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()

    def _place(self, path: str) -> str:
        """Where the server has it; ``NotFound`` for everything but what is ours to pass on."""
        task = path.removeprefix(f"{_TASKS}/")
        if path in _PROBES or path == _TASKS:
            return path
        if path in (_SHORT, _RPC, _TOOLS):
            return f"{self.prefix}{path}"
        if task != path and task not in ("", ".", "..") and "/" not in task:
            return f"{_TASKS}/{quote(task, safe='')}"
        raise NotFound("route", path)


def _path(scope: Scope) -> str:
    """What is asked for; ``NotFound`` for what is no text."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    try:
        return unquote_to_bytes(raw.partition(b"?")[0]).decode()
    except UnicodeDecodeError:
        raise NotFound("route", scope["path"]) from None


def _query(scope: Scope) -> str:
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    return query.decode("latin-1")


def _back(headers: Iterable[tuple[bytes, bytes]], endpoint: str) -> list[tuple[bytes, bytes]]:
    """The headers that the client is told, who has the endpoint at that URL."""
    kept = ((name.lower(), value) for name, value in headers if name.lower() in _PASSED_BACK)
    return [(name, challenged(value, endpoint) if name == _CHALLENGE else value) for name, value in kept]


def _listens(body: bytes) -> bool:
    try:
        return asked_in(message_in(body)).method == _LISTEN
    except ValueError:
        return False


def _told(error: CodeTetherError) -> CodeTetherError:
    """What keeps us from the server, as our own client is to be told."""
    if error.code != "connection_failed":
        return error
    return Unavailable(error.message, hint=error.hint)
