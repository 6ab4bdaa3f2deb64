"""PostgreSQL's errors in our words: one sentence, and the next step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
import psycopg_pool

from codetether_adapters.postgres.address import Address
from codetether_core.errors import Unavailable

__all__ = ["refused", "translated", "unavailable"]

_HINTS: Final = {
    "25006": "name the primary server in the store's address: this one only reads",
    "3D000": "create the database, or correct the store's address",
    "28P01": "correct the password in the store's address",
    "42501": "grant the login CREATE on this database, or the rights to the schema codetether in it",
    "42P01": "let this release create its schema, or restore a backup",
    "53100": "free some space; nothing that was accepted is lost",
    "53300": "raise max_connections on the server, or run fewer replicas",
    "55P03": "look for a session that holds a lock; try again",
    "57014": "look at what keeps the server busy; try again",
}
"""By SQLSTATE."""

_REFUSALS: Final = (
    ("password authentication failed", "refuses the password of user {user}", "28P01"),
    ("no password supplied", "wants a password for user {user}", "28P01"),
    ('database "', "has no database named {database}", "3D000"),
    ("too many clients", "has no connection left", "53300"),
    ("remaining connection slots", "has no connection left", "53300"),
)
"""What a server says before a session has begun, where the driver knows no SQLSTATE."""

_REACHED: Final = "see that the server runs and can be reached, and that the store's address is right"
_AGAIN: Final = "see that the server runs and can be reached; this goes on by itself once it does"


def unavailable(error: psycopg.Error) -> Unavailable:
    """A complaint of the driver, the pool or the server."""
    if isinstance(error, psycopg_pool.PoolTimeout | psycopg_pool.TooManyRequests):
        return Unavailable("The PostgreSQL store gives no connection", hint=_AGAIN)
    if isinstance(error, psycopg_pool.PoolClosed):
        return Unavailable("The PostgreSQL store is closed")
    return Unavailable(
        f"The PostgreSQL store failed: {_first_line(error)}", hint=_HINTS.get(error.sqlstate or "", _AGAIN)
    )


def refused(error: Exception, address: Address) -> Unavailable:
    """Why there is no connection to that address."""
    said = str(error)
    server = f"PostgreSQL at {address.place}"
    for words, sentence, state in _REFUSALS:
        if words in said:
            told = sentence.format(user=address.user, database=address.database)
            return Unavailable(f"{server} {told}", hint=_HINTS[state])
    if "FATAL" in said:
        return Unavailable(f"{server} refuses: {_first_line(error)}", hint=_REACHED)
    # Before that it says where it tried, which is ours to say.
    reason = _first_line(error).rpartition(" failed: ")[2]
    return Unavailable(f"{server} does not answer: {reason}", hint=_REACHED)


@contextmanager
def translated() -> Iterator[None]:
    """Raise ``Unavailable`` for what the driver raises inside."""
    try:
        yield
    except psycopg.Error as error:
        raise unavailable(error) from error


def _first_line(error: Exception) -> str:
    """The server's own words, without the details that follow."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rpartition("FATAL:")[2].strip() or lines[0]
