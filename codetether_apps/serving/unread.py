"""Bodies that nobody wants: what is still to come of a request when its answer ends is thrown away.

Hypercorn 0.18 holds some pieces of a body for the application and then stops reading. An application that answers
without them, as one that refuses does, would wait for ever with its last word, and so would the connection, after its
client has left too. It closes the connection then, without a word of that (RFC 9112, section 9.6, wants one): a client
would send its next request there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from attrs import define, field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["discarding"]

_WITH_A_BODY: Final = frozenset({b"content-length", b"transfer-encoding"})
_CLOSE: Final = (b"connection", b"close")
_MULTIPLEXED: Final = "2"
_AHEAD: Final = 8
"""Pieces of a body that are looked at before an answer that was given without them."""


def discarding(application: ASGIApp) -> ASGIApp:
    """The application, which need not read what it is sent."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _may_have_body(scope):
            await application(scope, receive, send)
            return
        exchange = _Exchange(receive, send, closes=scope["http_version"] != _MULTIPLEXED)
        try:
            await application(scope, exchange.read, exchange.answer)
        finally:
            exchange.end()

    return serve


def _may_have_body(scope: Scope) -> bool:
    """Only HTTP/1 says so beforehand."""
    return scope["http_version"] == _MULTIPLEXED or any(name in _WITH_A_BODY for name, _ in scope["headers"])


@define(eq=False)
class _Exchange:
    """A request with a body, and its answer, at whose end the connection ``closes`` if the body has not."""

    _receive: Receive
    _send: Send
    closes: bool = field(kw_only=True)
    _complete: bool = field(default=False, init=False)
    _ahead: deque[Message] = field(factory=deque, init=False)
    _coming: asyncio.Future[Message] | None = field(default=None, init=False)

    async def read(self) -> Message:
        """The next piece of the body."""
        message = self._ahead.popleft() if self._ahead else await self._arrival()
        self._complete = not message.get("more_body", False)
        return message

    async def answer(self, message: Message) -> None:
        """Pass on what the application answers."""
        if self._complete:
            await self._send(message)
        elif message["type"] == "http.response.start" and self.closes and not await self._has_come():
            await self._send({**message, "headers": [*_without_connection(message), _CLOSE]})
        elif message["type"] != "http.response.body" or message.get("more_body", False):
            await self._send(message)
        else:
            discarded = asyncio.ensure_future(self._discard())
            try:
                await self._send(message)
            finally:
                discarded.cancel()

    def end(self) -> None:
        """Nobody reads any more."""
        if self._coming is not None:
            self._coming.cancel()

    async def _has_come(self) -> bool:
        """Whether the rest of the body is here already."""
        while len(self._ahead) < _AHEAD:
            self._coming = self._coming or asyncio.ensure_future(self._receive())
            await asyncio.sleep(0)
            if not self._coming.done():
                return False
            self._ahead.append(await self._arrival())
            if not self._ahead[-1].get("more_body", False):
                return True
        return False

    async def _arrival(self) -> Message:
        coming, self._coming = self._coming, None
        return await (self._receive() if coming is None else coming)

    async def _discard(self) -> None:
        while (await self.read())["type"] != "http.disconnect":
            pass


def _without_connection(message: Message) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in message.get("headers", ()) if name.lower() != _CLOSE[0]]
