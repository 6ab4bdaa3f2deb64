"""The requests in flight, so that leaving can wait for them, and cut them off where that takes too long."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import structlog
from attrs import define, field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codetether_adapters.http.problems import problem
from codetether_core.errors import Unavailable

__all__ = ["InFlight", "logged"]

_log = structlog.get_logger("codetether.access")


@define(eq=False)
class InFlight:
    """Passes every request on and knows those that are not answered yet (ASGI).

    Of each connection it takes on ``most`` at once: streams of HTTP/2 that are reset as soon as they are open count for
    nothing in its own limit, and leave their requests behind.
    """

    application: ASGIApp
    most: int
    _tasks: set[asyncio.Task[Any]] = field(factory=set, init=False)
    _of: Counter[Any] = field(factory=Counter, init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on."""
        task = asyncio.current_task()
        if scope["type"] != "http" or task is None:
            await self.application(scope, receive, send)
            return
        connection = scope["client"]
        if self._of[connection] >= self.most:
            refusal = Unavailable("Too much is asked on this connection at once", hint="wait for some of the answers")
            await problem(refusal, "")(scope, receive, send)
            return
        self._tasks.add(task)
        self._of[connection] += 1
        try:
            await self.application(scope, receive, send)
        finally:
            self._tasks.discard(task)
            self._of[connection] -= 1
            if not self._of[connection]:
                del self._of[connection]

    def cut(self) -> int:
        """Cut off every request that is not answered yet; how many there were."""
        for task in (tasks := tuple(self._tasks)):
            task.cancel()
        return len(tasks)


def logged(application: ASGIApp) -> ASGIApp:
    """The application, with a line in the log for every request once it is answered."""

    async def log(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        status, started = 0, time.monotonic()

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await application(scope, receive, note)
        finally:
            milliseconds = round((time.monotonic() - started) * 1000, 1)
            _log.info("request", method=scope["method"], path=scope["path"], status=status, ms=milliseconds)

    return log
