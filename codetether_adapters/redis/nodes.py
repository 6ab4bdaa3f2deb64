"""Which server has which shard, and asking it until there is an answer or no more patience."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from redis.asyncio.connection import AbstractConnection
from redis.crc import key_slot
from redis.exceptions import MovedError, NoScriptError, RedisError

from codetether_adapters.redis.address import Address, Server
from codetether_adapters.redis.asking import Command
from codetether_adapters.redis.connecting import connection_to, hang_up
from codetether_adapters.redis.durability import Fence
from codetether_adapters.redis.failures import LOST, failure, is_moving, is_passing
from codetether_adapters.redis.greeting import Greeter
from codetether_adapters.redis.keys import Layout
from codetether_adapters.redis.link import Link
from codetether_adapters.redis.scripts import Script
from codetether_core.errors import CodeTetherError, Unavailable

__all__ = ["Nodes"]

_PATIENCE: Final = 2.0
_FAILOVER: Final = 8.0
"""Seconds that a command is repeated for: while a server starts again, and while a cluster puts a replica in charge."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5


class Nodes:
    """The servers of a store, one link each; a strict one has another to each for what waits until it is kept.

    Every method raises ``Unavailable`` when there is no answer in time.
    """

    def __init__(self, address: Address, *, strict: bool = False) -> None:
        self.address = address
        self.layout = Layout(address.prefix, address.shards)
        self.strict = strict
        self._greeter = Greeter(address, strict=strict)
        self._links: dict[tuple[Server, bool], Link] = {}
        self._homes: dict[int, Server] = {}
        self._learning: asyncio.Task[dict[int, Server]] | None = None

    async def call(self, shard: int, *command: str | bytes | int, durable: bool = False) -> Any:
        """The reply of the shard's server. The command may have been done more than once."""
        return await self._insist(shard, command, durable)

    async def run(
        self,
        script: Script,
        shard: int,
        keys: Iterable[str],
        *values: str | bytes | int,
        durable: bool = False,
    ) -> Any:
        """What a script answers; its keys are all of the shard."""
        names = [*keys]
        arguments = (len(names), *names, *values)
        try:
            return await self._insist(shard, ("EVALSHA", script.digest, *arguments), durable)
        except NoScriptError:
            return await self._insist(shard, ("EVAL", script.source, *arguments), durable)

    def generation(self, shard: int) -> tuple[Server | None, int]:
        """Something that is another one after every failover, restart and lost connection."""
        server = self._homes.get(shard) if self.address.cluster else self.address.servers[0]
        if server is None:
            return None, 0
        links = (self._links.get((server, waits)) for waits in (False, True))
        return server, sum(link.generation for link in links if link)

    async def settle(self, shard: int) -> None:
        """Return once all that the shard's server was told, by whomever, is kept; at once if none of it has to be."""
        if self.strict:
            await self.call(shard, "SET", self.layout.key(shard, "mark"), 1, durable=True)

    def spread(self, shards: int) -> None:
        """There are so many shards; to be said before anything but the first is asked for."""
        if shards != self.layout.shards:
            self.layout = Layout(self.address.prefix, shards)
            self.forget()

    def forget(self) -> None:
        """Ask anew who has what, at the next command."""
        self._homes = {}

    async def close(self) -> None:
        """Finish what was handed over, then close every connection."""
        await asyncio.gather(*(link.close() for link in self._links.values()))

    async def _insist(self, shard: int, command: Command, durable: bool) -> Any:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (_FAILOVER if self.address.cluster else _PATIENCE)
        pause = _FIRST_PAUSE
        while True:
            server: Server | None = None
            try:
                server = await self.home(shard)
                return await self._link(server, durable).call(command)
            except NoScriptError:
                raise
            except (*LOST, RedisError) as error:
                if loop.time() > deadline or not is_passing(error):
                    raise self._failure(error, server) from error
                if isinstance(error, MovedError) and server is not None:
                    self._homes[shard] = (error.host or server[0], error.port)
                elif self.address.cluster and not is_moving(error):
                    self.forget()
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - so that not all come back at once
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def home(self, shard: int) -> Server:
        """The shard's server, as far as is known."""
        if not self.address.cluster:
            return self.address.servers[0]
        if shard in self._homes:
            return self._homes[shard]
        if self._learning is None:
            self._learning = asyncio.create_task(self._learn())
            self._learning.add_done_callback(_unheard)
        # What is known by then may have been forgotten again.
        homes = await asyncio.shield(self._learning)
        return homes[shard]

    async def _learn(self) -> dict[int, Server]:
        """Ask the servers, one after the other, until one knows the whole cluster."""
        try:
            problem: Exception = ConnectionError("no server of the cluster has this slot")
            for server in dict.fromkeys((*(server for server, _ in self._links), *self.address.servers)):
                try:
                    ranges = await self._link(server).call(("CLUSTER", "SLOTS"))
                except (*LOST, RedisError, CodeTetherError) as error:
                    problem = error
                    continue
                homes = self._read(ranges, server)
                if len(homes) == self.layout.shards:
                    self._homes = homes
                    return homes
            raise problem
        finally:
            self._learning = None

    def _read(self, ranges: Any, asked: Server) -> dict[int, Server]:
        homes = {}
        for shard in self.layout.every:
            slot = key_slot(self.layout.key(shard).encode())
            for first, last, (host, port, *_), *_ in ranges:
                if first <= slot <= last:
                    homes[shard] = (host.decode() or asked[0], port)
        return homes

    def _failure(self, error: Exception, server: Server | None) -> Unavailable:
        return failure(error, _name(server) or self.address.name, tls=self.address.tls)

    def _link(self, server: Server, durable: bool = False) -> Link:
        waits = durable and self.strict
        link = self._links.get((server, waits))
        if link is None:
            fence = Fence(_name(server)) if waits else None
            link = self._links[server, waits] = Link(partial(self._connected, server), fence)
        return link

    async def _connected(self, server: Server) -> AbstractConnection:
        """A connection to a server that was looked at."""
        connection = connection_to(self.address, server)
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
            await self._greeter.greet(connection, _name(server))
        except BaseException:
            await hang_up(connection)
            raise
        return connection


def _unheard(task: asyncio.Task[Any]) -> None:
    """Whoever waited may have gone meanwhile; what went wrong is then nobody's concern."""
    if not task.cancelled():
        task.exception()


def _name(server: Server | None) -> str:
    return f"{server[0]}:{server[1]}" if server else ""
