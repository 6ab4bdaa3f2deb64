"""What is told of a conversation, in the order in which it came, however long ``emit`` takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import anyio

from codetether_core.ports import Emit
from codetether_core.tasks import OutputChunk

__all__ = ["Telling"]

_WAITING: Final = 64
"""Pieces that may wait before the agent has to."""


class Telling:
    """One run's. ``run`` tells until ``finish``; whoever ``tells`` waits while too much is untold."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._in, self._out = anyio.create_memory_object_stream[OutputChunk](_WAITING)
        self._told = anyio.Event()

    async def run(self) -> None:
        """Tell what comes."""
        with self._out:
            async for chunk in self._out:
                await self._emit(chunk)
        self._told.set()

    async def tell(self, chunks: Iterable[OutputChunk]) -> None:
        """Have these told next; nothing once there is nobody to tell."""
        for chunk in chunks:
            try:
                await self._in.send(chunk)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                return

    async def finish(self) -> None:
        """Wait until all is told."""
        self._in.close()
        await self._told.wait()

    def close(self) -> None:
        """Tell nothing that comes from now on."""
        self._in.close()

    def abandon(self) -> None:
        """Nobody tells it any more."""
        self._in.close()
        self._out.close()
