"""One connection to a server, shared by all callers: what waits in one turn of the loop goes out as one pipeline.

A command that was handed over is carried out whether its caller still waits or was cancelled. When the connection is
lost every command that has no reply yet fails with what went wrong, and the next one opens a new connection.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final, TypeAlias

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError, ResponseError

from codetether_adapters.redis.asking import Command, answer
from codetether_adapters.redis.durability import Fence
from codetether_adapters.redis.failures import LOST
from codetether_core.errors import CodeTetherError

__all__ = ["Link"]

_packed: Final[Callable[[Command], bytes]] = pack_command  # type: ignore[assignment] # its stub says one member
_Job: TypeAlias = tuple[Command, "asyncio.Future[Any]"]

_BATCH: Final = 512


class Link:
    """The commands to one server. ``generation`` counts the connections there have been.

    ``connect`` returns a connection that is open, to a server that will do. With a ``fence`` a batch is answered when
    the server keeps it.
    """

    def __init__(self, connect: Callable[[], Awaitable[AbstractConnection]], fence: Fence | None = None) -> None:
        self.generation = 0
        self._fence = fence
        self._connect = connect
        self._connection: AbstractConnection | None = None
        self._waiting: deque[_Job] = deque()
        self._working: asyncio.Task[None] | None = None
        self._closed = False

    async def call(self, command: Command) -> Any:
        """The reply; what it was refused with is raised."""
        if self._closed:
            raise ConnectionError("it was closed")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, future))
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        return await future

    async def close(self) -> None:
        """Finish what was handed over, then close the connection."""
        self._closed = True
        if self._working is not None:
            await self._working
        await self._drop()

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _BATCH))]
                try:
                    await self._carry_out(batch)
                except (*LOST, ResponseError, CodeTetherError) as error:
                    await self._drop()
                    _fail(batch, error)
                except BaseException:
                    await self._drop()
                    _fail(batch, ConnectionError("it was closed"))
                    raise
        finally:
            self._working = None

    async def _carry_out(self, batch: Sequence[_Job]) -> None:
        connection = await self._opened()
        commands = [command for command, _ in batch]
        if self._fence is not None:
            commands.append(self._fence.question)
        await connection.send_packed_command(b"".join(map(_packed, commands)))
        outcomes = [await _reply(connection) for _ in batch]
        if self._fence is not None:
            await self._fence.wait(connection, await answer(connection))
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, ResponseError):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    async def _opened(self) -> AbstractConnection:
        if self._connection is None:
            self._connection = await self._connect()
            self.generation += 1
        return self._connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*LOST):
                await connection.disconnect()


async def _reply(connection: AbstractConnection) -> Any:
    try:
        return await answer(connection)
    except ResponseError as error:
        return error


def _fail(batch: Sequence[_Job], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
