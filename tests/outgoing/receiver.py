"""A receiver of webhooks that behaves as the test says: a bare HTTP/1.1 server on a free port of this machine."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from attrs import Factory, define, frozen

__all__ = ["HANG", "SLAM", "Receiver", "Taken", "open_receiver"]

SLAM: Final = b""
"""The connection is closed without a word."""

HANG: Final = b"hang"
"""Nothing is ever said."""

_PHRASES: Final = {200: "OK", 302: "Found", 410: "Gone", 500: "Internal Server Error"}


@frozen
class Taken:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """What the body says."""
        return json.loads(self.body)


def answer(status: int, **headers: str) -> bytes:
    """An answer without a body."""
    told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    phrase = _PHRASES.get(status, "Whatever")
    return f"HTTP/1.1 {status} {phrase}\r\n{told}content-length: 0\r\n\r\n".encode()


@define(eq=False)
class Receiver:
    """``taken`` are the requests in their order. ``answers`` makes of each what is sent back: a status, or bytes."""

    port: int = 0
    answers: Callable[[Taken], int | bytes] = lambda taken: 200
    taken: list[Taken] = Factory(list)
    _came: asyncio.Condition = Factory(asyncio.Condition)
    _over: asyncio.Event = Factory(asyncio.Event)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/hook"

    async def until(self, enough: Callable[[list[Taken]], bool]) -> list[Taken]:
        """What has come by the time that this is so."""
        async with asyncio.timeout(30), self._came:
            await self._came.wait_for(lambda: enough(self.taken))
        return [*self.taken]

    async def count(self, number: int) -> list[Taken]:
        """What has come by the time that there are so many."""
        return await self.until(lambda taken: len(taken) >= number)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            taken = Taken(first.split(" ")[1], headers, body)
            said = self.answers(taken)
            async with self._came:
                self.taken.append(taken)
                self._came.notify_all()
            if said == HANG:
                await self._over.wait()
            elif said != SLAM:
                writer.write(answer(said) if isinstance(said, int) else said)
                await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    def end(self) -> None:
        """Let go of whoever hangs."""
        self._over.set()


@asynccontextmanager
async def open_receiver(
    answers: Callable[[Taken], int | bytes] = lambda taken: 200, *, context: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """One that listens; over TLS with a context."""
    receiver = Receiver(answers=answers)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=context)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        receiver.end()
        server.close()
        await server.wait_closed()
