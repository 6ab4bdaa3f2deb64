"""What the server must be: recent enough, writable, able to hold any text; and whether it keeps tenants apart."""

from __future__ import annotations

from typing import Final

import structlog

from codetether_adapters.postgres.address import Address
from codetether_adapters.postgres.connection import Connection
from codetether_core.errors import Unavailable

__all__ = ["OLDEST", "READS_ONLY", "check_row_security", "check_server", "reads_only"]

_log = structlog.get_logger(__name__)

OLDEST: Final = 14
"""The oldest major version of PostgreSQL that is accepted."""

READS_ONLY: Final = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean"
"""Whether this is a standby, or a database that is set to be read only."""


async def check_server(connection: Connection, address: Address) -> None:
    """``Unavailable`` says what the server lacks."""
    info = connection.info
    if info.server_version < OLDEST * 10_000:
        raise Unavailable(
            f"PostgreSQL at {address.place} is of version {info.server_version // 10_000}: too old",
            hint=f"use PostgreSQL {OLDEST} or newer",
        )
    encoding = info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise Unavailable(
            f"The database {address.database} is encoded in {encoding}",
            hint=f"create it anew: CREATE DATABASE {address.database} ENCODING 'UTF8' TEMPLATE template0",
        )
    row = await (await connection.execute(READS_ONLY)).fetchone()
    if row == (True,):
        raise reads_only(address)


def reads_only(address: Address) -> Unavailable:
    """The complaint about a server that takes no writes."""
    return Unavailable(
        f"PostgreSQL at {address.place} only reads: it is a standby, or its database is set to be read only",
        hint="name the primary server in the store's address",
    )


async def check_row_security(connection: Connection) -> None:
    """Tell the log if row security does not bind our login. It is asked once the schema is there."""
    row = await (await connection.execute("SELECT row_security_active('tasks')")).fetchone()
    if row == (False,):
        _log.warning("row_security_bypassed", hint="use a login without SUPERUSER and BYPASSRLS")
