"""Handing on what an agent prints, as it comes."""

from __future__ import annotations

from typing import Final

import anyio
from anyio.abc import ByteReceiveStream

from codetether_adapters.agents.chunks import Chunks
from codetether_core.ports import Emit
from codetether_core.tasks import OutputChunk

__all__ = ["READ_BYTES", "first_failure", "relay"]

READ_BYTES: Final = 64 * 1024
"""The most that is read at once."""

_UNFINISHED_LINE_SECONDS: Final = 0.2  # after which a line that does not end is shown as far as it came


async def relay(stream: ByteReceiveStream, name: str, emit: Emit) -> None:
    """Until the stream ends. While ``emit`` waits nothing is read, so the pipe fills and the agent slows."""
    chunks = Chunks()
    reading = True
    while reading:
        texts: list[str] = []
        try:
            with anyio.move_on_after(_UNFINISHED_LINE_SECONDS if chunks.waiting else None) as pause:
                texts = chunks.feed(await stream.receive(READ_BYTES))
            if pause.cancelled_caught:
                texts = chunks.flush()
        except anyio.EndOfStream:
            texts, reading = chunks.finish(), False
        for text in texts:
            await emit(OutputChunk(text=text, stream=name))


def first_failure(failure: BaseException) -> BaseException:
    """What ``emit`` raised, out of the task groups' wrapping."""
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure
