"""Answers that another ASGI application gives, which does what it is asked for while it answers."""

from __future__ import annotations

from attrs import define, field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codetether_adapters.http.bodies import Disconnected

__all__ = ["Mounted"]


@define(eq=False)
class Mounted:
    """``application``'s answer to a request whose body was read: it is given that again.

    A client's going is told to it once and in one way: by what it receives.
    """

    application: ASGIApp
    body: bytes = field(repr=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer (ASGI)."""
        told = gone = False

        async def again() -> Message:
            nonlocal told
            if not told:
                told = True
                return {"type": "http.request", "body": self.body, "more_body": False}
            return {"type": "http.disconnect"} if gone else await receive()

        async def unless_gone(message: Message) -> None:
            nonlocal gone
            if not gone:
                try:
                    await send(message)
                except Disconnected:
                    gone = True

        await self.application(scope, again, unless_gone)
