"""The database's own channel, ``LISTEN`` and ``NOTIFY``: one session that listens, and the pool's that speak.

A store's commit brings its notices itself, in a round trip that it makes anyway; what is published here is the rest.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final

import psycopg
from psycopg.sql import SQL, Identifier

from codetether_adapters.postgres.address import Address
from codetether_adapters.postgres.connection import Connection, connect
from codetether_adapters.postgres.errors import refused
from codetether_adapters.postgres.reader import Overseer
from codetether_adapters.tail import FIRST_PAUSE, Outgoing, rest
from codetether_core.errors import Unavailable
from codetether_core.ports import Channel

__all__ = ["CHANNEL", "open_own_channel"]

CHANNEL: Final = "codetether"
"""The name for the store's own: no other database hears it."""

_NOTIFY: Final = "SELECT FROM unnest(%s::text[]) AS said (text), pg_notify(%s, said.text)"


class _OwnChannel:
    """What the sessions of one database tell each other (a ``Channel``)."""

    def __init__(self, address: Address, overseer: Overseer, name: str, listening: Connection) -> None:
        self._address = address
        self._overseer = overseer
        self._name = name
        self._listening = listening
        self._problem: Unavailable | None = None
        self._outgoing = Outgoing(self._notify)

    def publish(self, text: str) -> None:
        """On a session of the pool."""
        self._outgoing.put(text)

    async def hear(self) -> AsyncGenerator[str | None]:
        """Over one session after the other."""
        while True:
            try:
                async with aclosing(self._listening.notifies()) as received:
                    async for notice in received:
                        yield notice.payload
            except (OSError, psycopg.Error) as error:
                await self._listen_again(error)
                yield None

    async def ping(self) -> None:
        """Whether there is a session that listens; whether one may speak, the store's own probe tells."""
        if self._problem is not None:
            raise Unavailable(self._problem.message, hint=self._problem.hint)

    async def close(self) -> None:
        """Say what is to be said, and hear nothing more."""
        await self._outgoing.close()
        await self._listening.close()

    async def _notify(self, texts: Sequence[str]) -> None:
        await self._overseer.rows(_NOTIFY, [*texts], self._name)

    async def _listen_again(self, error: Exception) -> None:
        pause = FIRST_PAUSE
        self._problem = refused(error, self._address)
        while True:
            await self._listening.close()
            pause = await rest(pause)
            try:
                self._listening = await _listen(self._address, self._name)
            except Unavailable as problem:
                self._problem = problem
            else:
                self._problem = None
                return


@asynccontextmanager
async def open_own_channel(address: Address, overseer: Overseer, scope: str) -> AsyncIterator[Channel]:
    """The channel of that name in the database; ``Unavailable``."""
    channel = _OwnChannel(address, overseer, scope, await _listen(address, scope))
    try:
        yield channel
    finally:
        await channel.close()


async def _listen(address: Address, name: str) -> Connection:
    connection = await connect(address)
    try:
        await connection.execute(SQL("LISTEN {}").format(Identifier(name)))
    except psycopg.Error as error:
        await connection.close()
        raise refused(error, address) from error
    except BaseException:
        await connection.close()
        raise
    return connection
