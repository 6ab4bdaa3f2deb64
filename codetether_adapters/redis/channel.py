"""A channel for processes that keep their data elsewhere: plain pub/sub, on one server or through any of a cluster's.

One connection listens and another speaks; a cluster passes what one of its servers is told on to all of them. Each
connection begins with the next server of the address, so that one that is gone is soon done without.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import cycle
from typing import Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoPermissionError, RedisError

from codetether_adapters.redis.address import Address, address
from codetether_adapters.redis.asking import answer, ask, facts
from codetether_adapters.redis.connecting import connection_to, hang_up
from codetether_adapters.redis.failures import LOST, failure
from codetether_adapters.redis.greeting import require_kind
from codetether_adapters.redis.listening import next_message
from codetether_adapters.tail import FIRST_PAUSE, Outgoing, rest
from codetether_core.errors import Invalid, Unavailable
from codetether_core.ports import Channel

__all__ = ["open_channel"]

_log = logging.getLogger(__name__)

_FIELD: Final = "notifier"
_LOST: Final = (*LOST, RedisError)


class _RedisChannel:
    """The channel of one name (a ``Channel``). An empty text is our own, for trying whether others can be told."""

    def __init__(self, address: Address, scope: str) -> None:
        self._address = address
        self._name = f"{address.prefix}:channel:{scope}"
        self._servers = cycle(address.servers)
        self._listening: AbstractConnection | None = None
        self._speaking: AbstractConnection | None = None
        self._deaf: Invalid | Unavailable | None = None
        self._mute: Unavailable | None = None
        self._outgoing = Outgoing(self._say)

    async def open(self) -> None:
        """Listen, and see whether we may speak; ``Unavailable`` if no server of the address lets us do both."""
        for _ in self._address.servers:
            with suppress(Unavailable):
                await self._listen()
                break
        else:
            await self._listen()
        await self._say([""])

    def publish(self, text: str) -> None:
        """On the connection that speaks, together with what else waits."""
        self._outgoing.put(text)

    async def hear(self) -> AsyncGenerator[str | None]:
        """Over one connection after the other."""
        while True:
            try:
                text = await self._next()
            except _LOST as error:
                await self._listen_again(error)
                yield None
            else:
                if text:
                    yield text

    async def ping(self) -> None:
        """Whether we hear, and could speak when we last tried; if not, it is tried anew."""
        if self._mute is not None:
            self.publish("")
        problem = self._deaf or self._mute
        if problem is not None:
            raise Unavailable(problem.message, hint=problem.hint)

    async def close(self) -> None:
        """Say what is to be said, and hear nothing more."""
        await self._outgoing.close()
        await _hang_up(self._speaking)
        await _hang_up(self._listening)

    async def _next(self) -> str:
        """What was said, if that was what came."""
        if self._listening is None:
            raise ConnectionError("it was hung up on")
        message = await next_message(self._listening)
        return message[2].decode("utf-8", "replace") if message and message[0] == b"message" else ""

    async def _listen(self) -> None:
        """Subscribe at the next server; ``Unavailable``, or ``Invalid`` for another kind than the address says."""
        try:
            connection = await self._connected()
            try:
                with suppress(NoPermissionError):  # who may not ask has to know
                    require_kind(facts(await ask(connection, "INFO")), self._address, _FIELD)
                await ask(connection, "SUBSCRIBE", self._name)
            except BaseException:
                await _hang_up(connection)
                raise
        except _LOST as error:
            raise self._failure(error) from error
        self._listening = connection

    async def _listen_again(self, error: BaseException) -> None:
        self._deaf = self._failure(error)
        _log.warning("%s (%s)", self._deaf.message, self._deaf.hint)
        await _hang_up(self._listening)
        pause = FIRST_PAUSE
        while self._deaf is not None:
            pause = await rest(pause)
            try:
                await self._listen()
            except (Invalid, Unavailable) as problem:
                self._deaf = problem
            else:
                self._deaf = None
        _log.info("The Redis notifier at %s is heard again", self._address.name)

    async def _say(self, texts: Sequence[str]) -> None:
        """Publish them in one go, at another server if need be; ``Unavailable`` if none takes them."""
        for _ in self._address.servers:
            with suppress(*_LOST):  # a connection that nobody used for long may have ended long ago
                return await self._publish(texts)
        try:
            await self._publish(texts)
        except _LOST as error:
            self._mute = self._failure(error)
            raise self._mute from error

    async def _publish(self, texts: Sequence[str]) -> None:
        try:
            connection = self._speaking = self._speaking or await self._connected()
            await connection.send_packed_command(
                connection.pack_commands([("PUBLISH", self._name, text) for text in texts])
            )
            for _ in texts:
                await answer(connection)
        except BaseException:
            await _hang_up(self._speaking)
            self._speaking = None
            raise
        self._mute = None

    async def _connected(self) -> AbstractConnection:
        connection = connection_to(self._address, next(self._servers))
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
        except BaseException:
            await _hang_up(connection)
            raise
        return connection

    def _failure(self, error: BaseException) -> Unavailable:
        problem = failure(error, self._address.name, _FIELD)
        if isinstance(error, NoPermissionError):
            hint = f"allow its user subscribe, publish and ping, and the channels {self._address.prefix}:channel:*"
            return Unavailable(problem.message, hint=hint)
        return Unavailable(problem.message, hint=problem.hint.partition(";")[0])  # the rest is about data


@asynccontextmanager
async def open_channel(url: str, scope: str) -> AsyncIterator[Channel]:
    """The channel of a scope on the server or cluster that ``redis://host:port`` names, as a store's address does.

    ``prefix`` begins its name, as it does that of a store's keys. ``Unavailable`` and ``Invalid`` say what is wrong
    with the address or the server, and what to do.
    """
    try:
        where = address(url)
    except Invalid as error:
        raise Invalid(_FIELD, error.problem, hint=error.hint) from None
    if where.chosen:
        raise Invalid(_FIELD, "has an option that only a store has: shards", hint="leave it out")
    channel = _RedisChannel(where, scope)
    try:
        await channel.open()
        yield channel
    finally:
        await channel.close()


async def _hang_up(connection: AbstractConnection | None) -> None:
    if connection is not None:
        await hang_up(connection)
