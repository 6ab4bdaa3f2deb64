"""The way back to the server, and the headers that every answer has."""

from __future__ import annotations

from typing import Final, TypeAlias

from starlette.types import Message, Send

from codetether_adapters.http.bodies import Disconnected
from codetether_adapters.http.request import Request

__all__ = ["ALWAYS", "OVER_TLS", "AnswerHeaders", "Reply"]

AnswerHeaders: TypeAlias = tuple[tuple[bytes, bytes], ...]

ALWAYS: Final = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
OVER_TLS: Final = ((b"strict-transport-security", b"max-age=31536000"),)
_ON_PAGES: Final = (
    (b"content-security-policy", b"default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)


class Reply:
    """The way back to the server: adds our headers to the answer's, and knows whether it has begun."""

    __slots__ = ("_always", "_request", "_send", "started")

    def __init__(self, send: Send, request: Request, always: AnswerHeaders) -> None:
        self._always = always
        self._send = send
        self._request = request
        self.started = False

    async def __call__(self, message: Message) -> None:
        """Send it; ``Disconnected`` where nobody is there any more."""
        if message["type"] == "http.response.start":
            self.started = True
            headers = message.get("headers", ())
            given = dict(headers)
            on_pages = _ON_PAGES if given.get(b"content-type", b"").startswith(b"text/html") else ()
            missing = (header for header in (*self._always, *on_pages) if header[0] not in given)
            ours = (*missing, *self._request.with_answer, (b"x-request-id", self._request.id.encode()))
            message = {**message, "headers": [*headers, *ours]}
        try:
            await self._send(message)
        except OSError:
            raise Disconnected from None
