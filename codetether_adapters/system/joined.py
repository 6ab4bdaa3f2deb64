"""One call for all who ask for the same, as a task of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

from attrs import define, field

__all__ = ["Joined"]

T = TypeVar("T")


@define(eq=False)
class _Going:
    """A call that goes on, and how many wait for it."""

    task: asyncio.Future[Any]
    waiting: int = 0


@define(eq=False)
class Joined:
    """The port ``Joining``; each of these knows of its own calls alone."""

    _going: dict[Hashable, _Going] = field(factory=dict, init=False)

    async def __call__(self, key: Hashable, call: Callable[[], Awaitable[T]]) -> T:
        """As the port has it."""
        going = self._going.get(key)
        if going is None or going.task.done():
            going = self._going[key] = _Going(asyncio.ensure_future(call()))
        going.waiting += 1
        try:
            await asyncio.wait([going.task])  # which does not end it when this one is cancelled
            found: T = going.task.result()
            return found
        finally:
            going.waiting -= 1
            if not going.waiting:
                await self._end(key, going)

    async def _end(self, key: Hashable, going: _Going) -> None:
        if self._going.get(key) is going:
            del self._going[key]
        going.task.cancel()
        await asyncio.gather(going.task, return_exceptions=True)
