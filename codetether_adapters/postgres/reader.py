"""Reading, on pooled sessions: each query sees what was committed last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg
import psycopg_pool

from codetether_adapters.postgres.address import Address
from codetether_adapters.postgres.connection import Connection, Row, alive, execute, patience, prepare
from codetether_adapters.postgres.errors import translated

__all__ = ["Reader"]

_SESSIONS: Final = 8
_WAIT: Final = 2.0
"""Seconds for which a query waits for a session."""

_AGAIN: Final = 0.5
"""Seconds for which the pool tries by itself to replace a session; after that, the next query makes it try."""


class Reader:
    """A pool that looks at a session before it gives it out, so that a server's restart is nobody's error."""

    def __init__(self, address: Address) -> None:
        self._pool: psycopg_pool.AsyncConnectionPool[Connection] = psycopg_pool.AsyncConnectionPool(
            address.conninfo,
            connection_class=psycopg.AsyncConnection[Row],
            kwargs={"autocommit": True},
            min_size=1,
            max_size=_SESSIONS,
            open=False,
            configure=prepare,
            check=alive,
            timeout=_WAIT,
            reconnect_timeout=_AGAIN,
        )

    async def open(self) -> None:
        """Begin to connect."""
        await self._pool.open()

    async def close(self) -> None:
        """End every session."""
        await self._pool.close()

    async def rows(self, sql: str, *values: Any) -> Sequence[Row]:
        """All rows of a query; ``Unavailable``."""
        with translated():
            async with self._pool.connection() as connection:
                with patience(connection):
                    return await (await execute(connection, sql, values)).fetchall()

    async def row(self, sql: str, *values: Any) -> Row | None:
        """The first row of a query; ``Unavailable``."""
        found = await self.rows(sql, *values)
        return found[0] if found else None
