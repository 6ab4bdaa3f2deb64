"""``codetether mcp`` in this process before a server that notes what comes to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
from attrs import Factory, define, field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from codetether_adapters.client.relay import open_relay
from codetether_adapters.http import Drain, Limits
from codetether_apps.process import Stopping
from codetether_apps.serving.listening import bound, listen
from codetether_apps.serving.relaying import Relaying
from codetether_apps.serving.serve import serve
from codetether_apps.settings import read_settings

__all__ = ["Upstream", "served"]


@define(eq=False)
class Upstream:
    """Answers what it is asked when ``may_answer``, and gives everybody a cookie.

    Who takes events gets a stream that has begun, and goes on once it may.
    """

    targets: list[str] = field(factory=list)
    headers: list[httpx.Headers] = field(factory=list)
    may_answer: asyncio.Event = Factory(asyncio.Event)
    asked: asyncio.Event = Factory(asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        await request.body()
        self.targets.append(scope["raw_path"].decode())
        self.headers.append(httpx.Headers(scope["headers"]))
        answer: Response
        if request.headers.get("accept") == "text/event-stream":
            answer = StreamingResponse(self._events(), media_type="text/event-stream")
        else:
            self.asked.set()
            await self.may_answer.wait()
            answer = JSONResponse({"result": "here"}, headers={"set-cookie": "whose=alice"})
        await answer(scope, receive, send)

    async def _events(self) -> AsyncIterator[bytes]:
        yield b"data: begun\n\n"
        self.asked.set()
        await self.may_answer.wait()
        yield b"data: answered\n\n"


@define(eq=False)
class Beside:
    """The proxy: where it is, and what has it leave."""

    url: str
    stopping: Stopping
    upstream: Upstream
    drain: Drain


@asynccontextmanager
async def _listening(application: ASGIApp, drain: Drain, stopping: Stopping) -> AsyncIterator[str]:
    settings = read_settings({"server.port": "0"}, environment={})
    with bound(settings) as binds:
        listen(binds)
        task = asyncio.create_task(serve(application, binds, settings, drain=drain, stopping=stopping))
        try:
            yield binds[0].url
        finally:
            stopping.ask()
            await task


@asynccontextmanager
async def served(*, user: str = "", prefix: str = "", **relaying: Any) -> AsyncIterator[Beside]:
    """The proxy to a server whose address has a ``user`` before it, and which answers at once unless told not to."""
    upstream = Upstream()
    upstream.may_answer.set()
    async with AsyncExitStack() as stack:
        behind = await stack.enter_async_context(_listening(upstream, Drain(), Stopping()))
        relay = await stack.enter_async_context(open_relay(behind.replace("http://", f"http://{user}")))
        drain, stopping = Drain(), Stopping()
        application = Relaying(relay, drain, Limits(), prefix, **relaying)
        url = await stack.enter_async_context(_listening(application, drain, stopping))
        yield Beside(url, stopping, upstream, drain)
