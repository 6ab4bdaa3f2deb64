"""What is answered before there is an application: that we live, and what we wait for."""

from __future__ import annotations

from datetime import UTC, datetime
from secrets import token_hex
from typing import Final

from attrs import define
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from codetether_adapters.http import Json
from codetether_adapters.http.problems import problem
from codetether_core.errors import Unavailable

__all__ = ["WaitingRoom"]

_ALWAYS: Final = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_TRY_AGAIN: Final = (b"retry-after", b"1")


@define(eq=False)
class WaitingRoom:
    """The application once there is one; until then the probes, and for everything else that it is too early (ASGI).

    ``reason`` says in words what is waited for. Strangers read it: there is no secret and no host in it.
    """

    reason: str
    base_path: str = ""
    application: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, or answer it."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self.application is not None:
            await self.application(scope, receive, send)
        elif scope["type"] == "http":
            answer = self._answer(scope["method"], scope["path"])
            answer.raw_headers.extend(_ALWAYS)
            await answer(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1013})

    def _answer(self, method: str, path: str) -> Response:
        match path.removeprefix(self.base_path.rstrip("/")) if method in ("GET", "HEAD") else "":
            case "/livez":
                return Json({"status": "alive"})
            case "/health":
                return Json({"status": "degraded", "ready": False, "timestamp": datetime.now(UTC)})
            case "/readyz" | "/startupz":
                return Json({"status": "starting", "reason": self.reason}, 503, headers=[_TRY_AGAIN])
            case _:
                return problem(Unavailable("This server is starting", hint=self.reason), token_hex(6))

    async def _live(self, receive: Receive, send: Send) -> None:
        """The engine's start and end, of which the application, which has its own, is told nothing."""
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
