"""Sending a run's output in batches, each chunk once, and slowing the agent down where the server is slower."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

import structlog
from attrs import define, evolve, field

from codetether_apps.holding.verdicts import Ending, Persistence, verdict
from codetether_core.errors import CodeTetherError, TooLarge
from codetether_core.tasks import OutputChunk

__all__ = ["OutputSender"]

_BATCHES_HELD: Final = 64
_MOST_CHUNKS: Final = 1000
_MOST_AT_ONCE: Final = 256 * 1024

_log = structlog.get_logger(__name__)


@define(eq=False, kw_only=True)
class OutputSender:
    """``post`` sends chunks with the ordinal of the first; a batch that may or may not have arrived is sent as it was.

    A batch goes out ``wait`` after its first chunk, or as soon as it has ``batch`` bytes, and takes along all that has
    come meanwhile, up to a limit: an answer that takes its time makes the batches larger, not the agent slower. The
    limit is halved where the server finds it too large. ``end`` is told when the server says that the run no longer
    counts, and when it takes no more output, for a reason that ``failure`` tells: such a run cannot have succeeded.
    """

    post: Callable[[Sequence[OutputChunk], int], Awaitable[None]]
    end: Callable[[Ending], None]
    wait: timedelta
    batch: int
    persistence: Persistence
    failure: str | None = field(default=None, init=False)
    _held: deque[OutputChunk] = field(factory=deque, init=False)
    _flying: tuple[OutputChunk, ...] = field(default=(), init=False)
    _size: int = field(default=0, init=False)
    _sent: int = field(default=0, init=False)
    _most: int = field(default=_MOST_AT_ONCE, init=False)
    _closed: bool = field(default=False, init=False)
    _changed: asyncio.Condition = field(factory=asyncio.Condition, init=False)

    async def emit(self, chunk: OutputChunk) -> None:
        """Take a chunk; waits while too much is held."""
        chunk = self._dated(chunk)
        async with self._changed:
            await self._changed.wait_for(lambda: self._size < self.batch * _BATCHES_HELD or self._closed)
            if self._closed:
                return  # nobody wants it: the run is being ended
            self._hold(chunk)
            self._changed.notify_all()

    async def close(self, last: Iterable[OutputChunk] = ()) -> None:
        """There will be no more after these, which need not wait however much is held."""
        async with self._changed:
            if not self._closed:
                for chunk in last:
                    self._hold(self._dated(chunk))
            self._closed = True
            self._changed.notify_all()

    @property
    def unsent(self) -> tuple[int, tuple[OutputChunk, ...]]:
        """What the server may not have yet, and the ordinal of its first piece."""
        return self._sent, (*self._flying, *self._held)

    async def send(self) -> None:
        """Send what comes until it is closed and nothing is left, or until the server takes no more."""
        try:
            while batch := await self._next():
                try:
                    await self.persistence.answer(partial(self.post, batch, self._sent))
                except TooLarge:
                    if len(batch) == 1:
                        raise
                    await self._take_back(batch)
                else:
                    self._sent += len(batch)
                    self._flying = ()
        except CodeTetherError as error:
            if (ending := verdict(error)) is None:
                self.failure = f"The server refused the output: {error.message}"
            self.end(ending or Ending.UNHEARD)
        except Exception as error:
            _log.exception("output_not_sent")
            self.failure = f"The worker could not send the output: {type(error).__name__}: {error}"
            self.end(Ending.UNHEARD)
        finally:
            await self._drop()

    def _dated(self, chunk: OutputChunk) -> OutputChunk:
        return chunk if chunk.at is not None else evolve(chunk, at=self.persistence.clock.now())

    def _hold(self, chunk: OutputChunk) -> None:
        self._held.append(chunk)
        self._size += _weight(chunk)

    async def _next(self) -> tuple[OutputChunk, ...]:
        """The next batch; none once it is closed and nothing is left."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._held or self._closed)
            try:
                async with asyncio.timeout(self.wait.total_seconds()):
                    await self._changed.wait_for(lambda: self._size >= self.batch or self._closed)
            except TimeoutError:
                pass
            taken: list[OutputChunk] = []
            size = 0
            while (
                self._held and len(taken) < _MOST_CHUNKS and (not taken or size + _weight(self._held[0]) <= self._most)
            ):
                taken.append(self._held.popleft())
                size += _weight(taken[-1])
            self._size -= size
            self._changed.notify_all()
            self._flying = tuple(taken)
            return self._flying

    async def _take_back(self, batch: Sequence[OutputChunk]) -> None:
        """Hold a batch that was too large again, to be sent in smaller ones."""
        async with self._changed:
            size = sum(map(_weight, batch))
            self._held.extendleft(reversed(batch))
            self._flying = ()
            self._size += size
            self._most = size // 2

    async def _drop(self) -> None:
        """Nobody wants it any more: hold nothing, keep nobody waiting."""
        async with self._changed:
            self._closed = True
            self._held.clear()
            self._flying = ()
            self._size = 0
            self._changed.notify_all()


def _weight(chunk: OutputChunk) -> int:
    return len(chunk.text) + 1
