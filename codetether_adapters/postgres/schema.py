"""The schema, its version, and whether this program may read a database.

A database says which ``schema`` it has and the least version of a program that may read it, ``min_reader``; only a
program below that is refused. Migrations go forward only, each in one transaction; what a release stops using is
dropped a release later, so that two releases can take turns. Replicas that start together take turns under a lock.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

import psycopg
from attrs import frozen

from codetether_adapters.postgres.address import Address
from codetether_adapters.postgres.connection import SCHEMA_NAME, Connection, connect
from codetether_adapters.postgres.errors import unavailable
from codetether_adapters.postgres.logins import Logins, admit, check_logins
from codetether_adapters.postgres.scope import OVERSEE
from codetether_adapters.postgres.server import check_server
from codetether_core.errors import Unavailable
from codetether_core.ports import Migrations

__all__ = ["Migration", "bring_up_to_date", "identity", "known_migrations", "migrate"]

_MIN_READER: Final = 1
_TAKE_LOCK: Final = f"SELECT pg_advisory_xact_lock({int.from_bytes(b'CTschema')})".encode()
_IN_USE: Final = "SET LOCAL lock_timeout TO '200ms'"
"""A step gives way to whoever uses its tables, before the server takes it for a deadlock, and is tried again."""

_TRIES: Final = 100
_PAUSE: Final = 0.2
"""Seconds between two tries."""

_FILE: Final = re.compile(r"(\d{4})\.sql")
_EXISTS: Final = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_class c
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %(schema)s),
       2 = (SELECT count(*) FROM pg_catalog.pg_tables
            WHERE schemaname = %(schema)s AND tablename IN ('meta', 'migrations'))
"""
"""Whether the schema has anything, and is ours. Read off the catalogue: in the middle of a transaction, a name that was
just made may yet not be resolved."""

_NOTE: Final = (
    "INSERT INTO meta SELECT * FROM unnest(%s::text[], %s::text[])"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


@frozen
class Migration:
    """One step: the schema's ``version`` after it, its SQL, and the checksum that a database keeps of it."""

    version: int
    sql: str
    checksum: str


async def migrate(url: str, *, check: bool = False, keeper: str | None = None) -> Migrations:
    """Bring the database's schema to this program's, or with ``check`` only look; how it stands then. The login of the
    address ``keeper`` does it, if there is one, and lets the other one use it.

    ``Invalid`` for a malformed address or a login that cannot be what it has to be; ``Unavailable`` for a server or a
    schema that this program cannot use.
    """
    logins = Logins.parse(url, keeper)
    connection = await connect(logins.keeper)
    try:
        await check_server(connection, logins.keeper)
        bound = await check_logins(connection, logins)
        if check:
            return await _look(connection, logins.keeper)
        return await bring_up_to_date(connection, logins.keeper, bound)
    except psycopg.Error as error:
        raise unavailable(error) from error
    finally:
        await connection.close()


async def bring_up_to_date(connection: Connection, address: Address, bound: str | None = None) -> Migrations:
    """Apply what is pending, a transaction for each step, then admit the login that is bound, if there is one;
    ``Unavailable`` if the schema is not ours to use.
    """
    found, tries = await _look(connection, address), _TRIES
    while found.pending:
        try:
            async with connection.transaction():
                await _take_turns(connection)
                found = await _look(connection, address)
                if found.pending:
                    await _apply(connection, known_migrations()[found.pending[0]])
        except psycopg.errors.LockNotAvailable:
            tries -= 1
            if not tries:
                raise
            await asyncio.sleep(_PAUSE)
        found = await _look(connection, address)
    if bound is not None:
        async with connection.transaction():
            await _take_turns(connection)
            await admit(connection, bound)
    return found


async def identity(connection: Connection) -> str:
    """What the database is known by to all who share it, whatever becomes of its log; made by who asks first."""
    await connection.execute("INSERT INTO meta VALUES ('identity', %s) ON CONFLICT DO NOTHING", [secrets.token_hex(8)])
    row = await (await connection.execute("SELECT value FROM meta WHERE name = 'identity'")).fetchone()
    return row[0] if row else ""


@cache
def known_migrations() -> Mapping[int, Migration]:
    """This program's steps by version, in order."""
    named = ((_FILE.fullmatch(file.name), file) for file in files(f"{__package__}.migrations").iterdir())
    steps = sorted((int(match[1]), file.read_bytes()) for match, file in named if match)
    return {version: Migration(version, sql.decode("utf-8"), hashlib.sha256(sql).hexdigest()) for version, sql in steps}


async def _take_turns(connection: Connection) -> None:
    """Another replica may be faster; it is waited for however long its step takes."""
    await connection.execute("SET LOCAL statement_timeout TO 0")
    await connection.execute(_TAKE_LOCK)


async def _apply(connection: Connection, step: Migration) -> None:
    marks = {"schema": str(step.version), "min_reader": str(_MIN_READER)}
    if step.version == 1:
        marks |= {"epoch": secrets.token_hex(8), "start": "0"}
    await connection.execute(_IN_USE)
    # A step may rewrite rows, and they are everybody's.
    await connection.execute(f"SELECT {OVERSEE}".encode())
    await connection.execute(step.sql.encode())
    await connection.execute("INSERT INTO migrations VALUES (%s, %s)", [step.version, step.checksum])
    await connection.execute(_NOTE, [[*marks], [*marks.values()]])


async def _look(connection: Connection, address: Address) -> Migrations:
    known = known_migrations()
    found = await (await connection.execute(_EXISTS, {"schema": SCHEMA_NAME})).fetchone()
    if found == (False, False):
        return Migrations((), (*known,))
    if found != (True, True):
        raise Unavailable(
            f"The database {address.database} has a schema {SCHEMA_NAME} of another program",
            hint="name another database, or drop that schema if nobody needs it",
        )
    meta: dict[str, str] = dict(await (await connection.execute("SELECT name, value FROM meta")).fetchall())
    if int(meta["min_reader"]) > max(known):
        raise Unavailable(
            f"The database {address.database} needs a newer CodeTether:"
            f" its data are of version {meta['schema']}, this program knows {max(known)}",
            hint="install the newer release, or restore a backup made by this one",
        )
    steps = await connection.execute("SELECT version, checksum FROM migrations")
    applied: dict[int, str] = dict(await steps.fetchall())
    for version, checksum in applied.items():
        if version in known and known[version].checksum != checksum:
            raise Unavailable(
                f"Migration {version:04} of the database {address.database} is not the one that this program knows",
                hint="install the release that made the database: steps that were applied are never changed",
            )
    return Migrations((*sorted(applied),), tuple(version for version in known if version not in applied))
