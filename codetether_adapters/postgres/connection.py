"""Connections: how a session is set up, whether an idle one still lives, and how long one is waited for."""

from __future__ import annotations

import asyncio
import os
import select
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeAlias

import psycopg

from codetether_adapters.postgres.address import Address
from codetether_adapters.postgres.encoding import storable
from codetether_adapters.postgres.errors import refused

__all__ = [
    "PATIENCE",
    "SCHEMA_NAME",
    "SESSION",
    "Connection",
    "Row",
    "alive",
    "connect",
    "execute",
    "patience",
    "prepare",
]

Connection: TypeAlias = psycopg.AsyncConnection[tuple[Any, ...]]
Row: TypeAlias = tuple[Any, ...]

SCHEMA_NAME: Final = "codetether"

PATIENCE: Final = 12.0
"""Seconds after which a server that does not answer is one that is gone; it gives up a statement before that."""

SESSION: Final = f"""
SET search_path TO {SCHEMA_NAME};
SET TIME ZONE 'UTC';
SET default_transaction_isolation TO 'read committed';
SET statement_timeout TO '10s';
SET idle_in_transaction_session_timeout TO '5s';
SET jit TO off;
SET enable_seqscan TO off;
SET enable_bitmapscan TO off;
SELECT set_config('synchronous_commit', 'on', FALSE) WHERE current_setting('synchronous_commit') = 'off'
"""
"""What was accepted is on the disk, whatever the database's default; a replica that hangs holds no lock for long. Every
question has an index that answers it in its order, and a plan is kept for longer than a table stays small."""


async def connect(address: Address) -> Connection:
    """A session with our settings, each statement a transaction of its own; ``Unavailable`` says why there is none."""
    try:
        connection = await psycopg.AsyncConnection.connect(address.conninfo, autocommit=True)
    except psycopg.Error as error:
        raise refused(error, address) from error
    try:
        with patience(connection):
            await prepare(connection)
    except psycopg.Error as error:
        await connection.close()
        raise refused(error, address) from error
    except BaseException:
        await connection.close()
        raise
    return connection


async def prepare(connection: Connection) -> None:
    """Give a new session our settings."""
    await connection.execute(SESSION)


async def alive(connection: Connection) -> None:
    """Raise ``psycopg.OperationalError`` if an idle session has ended: only then is there something to be read."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        await connection.execute("")


async def execute(connection: Connection, sql: str, values: Sequence[Any] = ()) -> psycopg.AsyncCursor[Row]:
    """Run or, in a pipeline, send a statement; its rows come in binary."""
    cursor = connection.cursor(binary=True)
    await cursor.execute(sql.encode(), [storable(value) for value in values] if values else None)
    return cursor


@contextmanager
def patience(connection: Connection, seconds: float = PATIENCE) -> Iterator[None]:
    """Hang up on a server that does not answer in time, as though it had; whoever waits for it then hears that."""
    timer = asyncio.get_running_loop().call_later(seconds, _hang_up, connection)
    try:
        yield
    finally:
        timer.cancel()


def _hang_up(connection: Connection) -> None:
    with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
