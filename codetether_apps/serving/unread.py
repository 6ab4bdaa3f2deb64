"""Bodies that nobody wants: what is still to come of a request when its answer ends is thrown away.

Hypercorn 0.18 holds some pieces of a body for the application and then stops reading. An application that answers
without them, as one that refuses does, would wait for ever with its last word, and so would the connection, after its
client has left too.
"""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["discarding"]

_WITH_A_BODY: Final = frozenset({b"content-length", b"transfer-encoding"})


def discarding(application: ASGIApp) -> ASGIApp:
    """The application, which need not read what it is sent."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _may_have_body(scope):
            await application(scope, receive, send)
            return
        complete = False

        async def read() -> Message:
            nonlocal complete
            message = await receive()
            complete = not message.get("more_body", False)
            return message

        async def answer(message: Message) -> None:
            if complete or message["type"] != "http.response.body" or message.get("more_body", False):
                await send(message)
                return
            discarded = asyncio.ensure_future(_discard(receive))
            try:
                await send(message)
            finally:
                discarded.cancel()

        await application(scope, read, answer)

    return serve


def _may_have_body(scope: Scope) -> bool:
    """Only HTTP/1 says so beforehand."""
    return scope["http_version"] == "2" or any(name in _WITH_A_BODY for name, _ in scope["headers"])


async def _discard(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
