"""Running a contract against a backend, with the standard library alone."""

from __future__ import annotations

import asyncio
import unittest
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Final, TypeAlias, TypeVar

from codetether_core.errors import Unavailable
from codetether_core.ports import Backend, EventLog

__all__ = ["Example", "Host", "OpenBackend", "examples", "forget", "insist", "raises"]

T = TypeVar("T")

OpenBackend: TypeAlias = Callable[[], AbstractAsyncContextManager[Backend]]
"""Opens a new, empty store each time it is called."""

Example: TypeAlias = Callable[[Backend], Coroutine[Any, Any, None]]
"""One behaviour, shown on a new store; its docstring says it."""

_PATIENCE: Final = 60
_TRIES: Final = 100


class Host:
    """A backend that is open in an event loop of its own, for callers that are not asynchronous.

    One task opens and closes it, as some context managers insist on.
    """

    def __init__(self, open_backend: OpenBackend) -> None:
        self._loop = asyncio.new_event_loop()
        self._opened: asyncio.Future[Backend] = self._loop.create_future()
        self._done = asyncio.Event()
        self._keeping = self._loop.create_task(self._keep_open(open_backend))
        self.backend = self.run(self._open())

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Wait for a call."""
        return self._loop.run_until_complete(call)

    def close(self) -> None:
        """Close the backend and its loop."""
        self._done.set()
        try:
            self._loop.run_until_complete(self._keeping)
        finally:
            self._loop.close()

    async def _open(self) -> Backend:
        self._keeping.add_done_callback(self._give_up)
        return await self._opened

    def _give_up(self, task: asyncio.Task[None]) -> None:
        """It could not be opened: whoever waits for it hears why."""
        error = task.exception()
        if error is not None and not self._opened.done():
            self._opened.set_exception(error)

    async def _keep_open(self, open_backend: OpenBackend) -> None:
        async with open_backend() as backend:
            self._opened.set_result(backend)
            await self._done.wait()


def examples(name: str, open_backend: OpenBackend, functions: Sequence[Example]) -> type[unittest.TestCase]:
    """A test case with a test for each example, each on a new store."""
    tests = {f"test_{function.__name__}": _test(function, open_backend) for function in functions}
    return type(name, (unittest.TestCase,), tests)


async def raises(error: type[Exception], call: Awaitable[object]) -> None:
    """Fail unless the call is refused in this way."""
    try:
        await call
    except error:
        return
    raise AssertionError(f"{error.__name__} was not raised")


async def insist(call: Callable[[], Awaitable[T]]) -> T:
    """Call until there is an answer: a store may be unavailable for a while, before or after it did what was asked."""
    for _ in range(_TRIES):
        try:
            return await call()
        except Unavailable:
            continue
    raise AssertionError(f"unavailable {_TRIES} times")


def _test(function: Example, open_backend: OpenBackend) -> Callable[[unittest.TestCase], None]:
    async def show() -> None:
        async with asyncio.timeout(_PATIENCE), open_backend() as backend:
            await function(backend)

    def test(self: unittest.TestCase) -> None:
        asyncio.run(show())

    test.__doc__ = function.__doc__
    return test


async def forget(log: EventLog, before: datetime, limit: int = 1000) -> int:
    """Trim what is from before that moment, up to so many records; how many went."""
    page = await log.oldest(before, limit)
    return await log.trim(page.cursor) if page.records else 0
