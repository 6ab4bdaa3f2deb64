"""A line to a server that breaks at a word: what was sent arrives and is done, the reply does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

__all__ = ["cut_at"]


@asynccontextmanager
async def cut_at(word: bytes, url: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """The server's address through a gate, and an event: once it is set, the next request with the word is the last of
    its connection. That clears the event again.
    """
    parts = urlsplit(url)
    cutting = asyncio.Event()
    lines: set[asyncio.Task[None]] = set()

    async def connect(client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        server, requests = await asyncio.open_connection(parts.hostname, parts.port)
        cut = asyncio.Event()

        async def forward() -> None:
            while data := await client.read(65536):
                if cutting.is_set() and word in data:
                    cutting.clear()
                    cut.set()
                requests.write(data)

        async def back() -> None:
            while (data := await server.read(65536)) and not cut.is_set():
                answers.write(data)

        pumps = [asyncio.create_task(forward()), asyncio.create_task(back())]
        lines.update(pumps)
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for writer in (answers, requests):
            writer.close()

    gate = await asyncio.start_server(connect, "127.0.0.1", 0)
    port = gate.sockets[0].getsockname()[1]
    try:
        yield url.replace(f":{parts.port}/", f":{port}/"), cutting
    finally:
        gate.close()
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)
