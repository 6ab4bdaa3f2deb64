"""A file as an answer: bytes that somebody else made, for saving and not for showing.

What agents leave is as little to be trusted as what they print: browsers are told to save it, to take it for nothing
but what it is said to be, and to run nothing in it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from urllib.parse import quote

from attrs import frozen
from starlette.types import Receive, Scope, Send

__all__ = ["FileAnswer"]


@frozen(eq=False)
class FileAnswer:
    """The bytes that ``opening`` gives, as a file; what it raises on entering is the answer instead.

    A reader that gets fewer than ``size`` bytes knows by that that they are not all.
    """

    opening: AbstractAsyncContextManager[AsyncIterator[bytes]]
    name: str
    media_type: str
    size: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer (ASGI)."""
        async with self.opening as chunks:
            await send({"type": "http.response.start", "status": 200, "headers": self._headers()})
            if scope["method"] != "HEAD":
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _headers(self) -> list[tuple[bytes, bytes]]:
        """RFC 6266, section 4.3, for the name."""
        name = quote(self.name.rpartition("/")[2], safe="")
        return [
            (b"content-type", self.media_type.encode()),
            (b"content-length", b"%d" % self.size),
            (b"content-disposition", f"attachment; filename*=UTF-8''{name}".encode()),
            (b"content-security-policy", b"sandbox; default-src 'none'"),
        ]
