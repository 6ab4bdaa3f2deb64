"""Lines of standard input and output, beside an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import BinaryIO

from codetether_apps.process.signals import Stopping

__all__ = ["lines_of", "writing_to"]


async def lines_of(source: BinaryIO, stopping: Stopping) -> AsyncIterator[bytes]:
    """The lines as they come, until the source ends or we are asked to leave.

    A thread reads, as neither a terminal nor a file can be waited for; nobody waits for that thread.
    """
    loop, arrived = asyncio.get_running_loop(), asyncio.Queue[bytes]()

    def read() -> None:
        for line in iter(source.readline, b""):
            loop.call_soon_threadsafe(arrived.put_nowait, line)
        loop.call_soon_threadsafe(arrived.put_nowait, b"")

    threading.Thread(target=read, name="standard input", daemon=True).start()
    asked = asyncio.ensure_future(stopping.wait())
    try:
        while True:
            coming = asyncio.ensure_future(arrived.get())
            await asyncio.wait({coming, asked}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                coming.cancel()
                return
            if not (line := coming.result()):
                return
            yield line
    finally:
        asked.cancel()


def writing_to(target: BinaryIO) -> Callable[[bytes], None]:
    """What writes a line there, at once."""

    def write(line: bytes) -> None:
        target.write(line + b"\n")
        target.flush()

    return write
