"""Reading, on pooled sessions: each query sees what was committed last.

Whoever reads says for which tenant, and row security shows the session no other's rows. A session stays with the tenant
that it worked for last, so it is told only what it does not know. What is about all tenants has sessions of its own,
the keeper's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import psycopg
import psycopg_pool

from codetether_adapters.postgres.address import Address
from codetether_adapters.postgres.connection import Connection, Row, alive, execute, patience, prepare
from codetether_adapters.postgres.errors import translated
from codetether_core.ids import TenantId

__all__ = ["Overseer", "Reader"]

_READING: Final = 6
_OVERSEEING: Final = 2
"""Sessions; the tail reads one after the other, and the rest is asked once in a while."""

_WAIT: Final = 2.0
"""Seconds for which a query waits for a session."""

_AGAIN: Final = 0.5
"""Seconds for which the pool tries by itself to replace a session; after that, the next query makes it try."""

_WORK_FOR: Final = "SELECT set_config('codetether.tenant', %s, FALSE)"
_OVERSEE: Final = "SET codetether.everybody TO on"


class _Session(psycopg.AsyncConnection[Row]):
    """One of a pool. ``tenant`` is whose rows it sees, if that is known."""

    tenant: TenantId | None = None


class _Pool:
    """Sessions that are looked at before they are given out, so that a server's restart is nobody's error."""

    def __init__(self, address: Address, sessions: int, configure: Callable[[Connection], Awaitable[None]]) -> None:
        self._pool: psycopg_pool.AsyncConnectionPool[_Session] = psycopg_pool.AsyncConnectionPool(
            address.conninfo,
            connection_class=_Session,
            kwargs={"autocommit": True},
            min_size=1,
            max_size=sessions,
            open=False,
            configure=configure,
            check=alive,
            timeout=_WAIT,
            reconnect_timeout=_AGAIN,
        )

    async def open(self) -> None:
        """Begin to connect."""
        await self._pool.open()

    async def ping(self) -> None:
        """Whether there is a session to be had; ``Unavailable``."""
        with translated():
            async with self._pool.connection():
                return

    async def close(self) -> None:
        """End every session."""
        await self._pool.close()


class Reader(_Pool):
    """Sessions that see one tenant's rows at a time."""

    def __init__(self, address: Address) -> None:
        super().__init__(address, _READING, prepare)

    async def rows(self, tenant: TenantId, sql: str, *values: Any) -> Sequence[Row]:
        """All rows of a query; ``Unavailable``."""
        with translated():
            async with self._pool.connection() as session:
                with patience(session):
                    if session.tenant != tenant:
                        session.tenant = None  # until the server has answered: this may be cancelled
                        await execute(session, _WORK_FOR, [tenant])
                        session.tenant = tenant
                    return await (await execute(session, sql, values)).fetchall()

    async def row(self, tenant: TenantId, sql: str, *values: Any) -> Row | None:
        """The first row of a query; ``Unavailable``."""
        found = await self.rows(tenant, sql, *values)
        return found[0] if found else None


class Overseer(_Pool):
    """Sessions that see everybody's rows, for what is about all tenants, or about none."""

    def __init__(self, address: Address) -> None:
        super().__init__(address, _OVERSEEING, _prepare)

    async def rows(self, sql: str, *values: Any) -> Sequence[Row]:
        """All rows of a query; ``Unavailable``."""
        with translated():
            async with self._pool.connection() as session:
                with patience(session):
                    return await (await execute(session, sql, values)).fetchall()

    async def row(self, sql: str, *values: Any) -> Row | None:
        """The first row of a query; ``Unavailable``."""
        found = await self.rows(sql, *values)
        return found[0] if found else None


async def _prepare(connection: Connection) -> None:
    await prepare(connection)
    await connection.execute(_OVERSEE)
