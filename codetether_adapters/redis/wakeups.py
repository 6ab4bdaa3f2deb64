"""Hearing the shards' bells, over a connection to each server that has one, and never taking them for more than that.

On every new connection the shards are read anew, for what was rung before nobody heard; and now and then while all is
quiet, for a bell that is not heard costs time and must not cost more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Final

from redis.exceptions import RedisError

from codetether_adapters.redis.address import Server
from codetether_adapters.redis.bell import read_ring
from codetether_adapters.redis.connecting import connection_to, hang_up
from codetether_adapters.redis.failures import LOST, failure
from codetether_adapters.redis.listening import next_message
from codetether_adapters.redis.nodes import Nodes
from codetether_adapters.redis.notifier import RedisNotifier
from codetether_adapters.redis.tail import Tail
from codetether_core.errors import Unavailable

__all__ = ["Wakeups"]

_log = logging.getLogger(__name__)

_PAUSE: Final = 0.2
_PATIENCE: Final = 3.0


class Wakeups:
    """Listens to the bells of all shards until it is closed."""

    def __init__(self, nodes: Nodes, tail: Tail, notifier: RedisNotifier) -> None:
        self._nodes = nodes
        self._tail = tail
        self._notifier = notifier
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False

    async def open(self) -> None:
        """Return once every bell can be heard; ``Unavailable`` if that takes too long."""
        homes = [await self._nodes.home(shard) for shard in self._nodes.layout.every]
        by_server: dict[Server, list[int]] = {}
        for shard, home in enumerate(homes):
            by_server.setdefault(home, []).append(shard)
        heard = [asyncio.Event() for _ in by_server]
        for event, shards in zip(heard, by_server.values(), strict=True):
            self._tasks.append(asyncio.create_task(self._listen(shards, event)))
        try:
            async with asyncio.timeout(_PATIENCE):
                await asyncio.gather(*(event.wait() for event in heard))
        except TimeoutError:
            await self._notifier.ping()
            raise failure(TimeoutError("its bells are silent"), self._nodes.address.name) from None

    async def close(self) -> None:
        """Stop listening, also where a connection is lost in this very moment, which hides that a task is cancelled."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self, shards: Sequence[int], heard: asyncio.Event) -> None:
        """Hear the bells of shards that were on one server; where they move apart, the server says so."""
        while not self._closed:
            try:
                async with asyncio.TaskGroup() as group:
                    for server, there in (await self._places(shards)).items():
                        group.create_task(self._hear(server, there, heard))
            except* (*LOST, RedisError, Unavailable) as problems:
                self._nodes.forget()
                self._notifier.unheard |= dict.fromkeys(shards, problems.exceptions[0])
            except* Exception:
                _log.exception("The bells of the Redis store could not be heard; trying again")
            await asyncio.sleep(_PAUSE)

    async def _places(self, shards: Iterable[int]) -> dict[Server, list[int]]:
        places: dict[Server, list[int]] = {}
        for shard in shards:
            places.setdefault(await self._nodes.home(shard), []).append(shard)
        return places

    async def _hear(self, server: Server, shards: Sequence[int], heard: asyncio.Event) -> None:
        layout = self._nodes.layout
        bells = {layout.key(shard, "bell").encode(): shard for shard in shards}
        connection = connection_to(self._nodes.address, server)
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
            for bell in bells:
                await connection.send_command("SSUBSCRIBE", bell)
            silent = set(bells)
            while True:
                message = await next_message(connection)
                if message is None:
                    await self._read_anew(shards)
                elif message[0] == b"smessage":
                    self._ring(bells[message[1]], message[2])
                elif message[0] == b"sunsubscribe":
                    raise ConnectionError("the shard has another server now")
                elif message[0] == b"ssubscribe":
                    silent.discard(message[1])
                    if not silent:
                        for shard in shards:
                            self._notifier.unheard.pop(shard, None)
                        await self._read_anew(shards)
                        heard.set()
        finally:
            await hang_up(connection)

    async def _read_anew(self, shards: Sequence[int]) -> None:
        await self._tail.confirm_epoch()
        for shard in shards:
            await self._tail.catch_up(shard)

    def _ring(self, shard: int, message: bytes) -> None:
        ring = read_ring(message)
        if ring.sender == self._notifier.name:
            return
        self._tail.heard(shard, ring.position)
        self._notifier.ring(ring.topics)
