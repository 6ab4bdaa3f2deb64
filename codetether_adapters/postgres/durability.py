"""Whether the server keeps what it committed.

Our own sessions commit to its disk whatever the default of the database is. Standbys are waited for where
``synchronous_standby_names`` names some, unless ``synchronous_commit`` was made to say otherwise.
"""

from __future__ import annotations

import logging
from typing import Final

from codetether_adapters.postgres.address import Address
from codetether_adapters.postgres.connection import Connection, Row
from codetether_core.errors import Unavailable

__all__ = ["DURABILITY", "check_durability", "require_durability", "shortcoming"]

_log = logging.getLogger(__name__)

DURABILITY: Final = """
SELECT current_setting('fsync')::boolean,
       current_setting('synchronous_standby_names') <> '',
       current_setting('synchronous_commit')
"""

_HINT: Final = "set {setting} to on for this server, or do without strict durability"


def shortcoming(fsync: bool, standbys: bool, commit: str) -> tuple[str, str]:
    """What may be lost of what was committed, and by which setting; nothing twice if all is kept."""
    if not fsync:
        return "may lose or destroy everything with its machine: fsync is off", "fsync"
    if standbys and commit in ("local", "remote_write"):
        return f"does not wait for its standbys' disks: synchronous_commit is {commit}", "synchronous_commit"
    return "", ""


async def check_durability(connection: Connection, address: Address, *, strict: bool) -> None:
    """Tell the log what may be lost; a ``strict`` store refuses the server with ``Unavailable`` instead."""
    row = await (await connection.execute(DURABILITY)).fetchone()
    if strict:
        require_durability(row, address)
    elif row and (problem := shortcoming(*row)[0]):
        _log.warning("PostgreSQL at %s %s", address.place, problem)


def require_durability(row: Row | None, address: Address) -> None:
    """``Unavailable`` if, by what ``DURABILITY`` gave, something that was committed may be lost."""
    problem, setting = shortcoming(*row) if row else ("", "")
    if problem:
        raise Unavailable(
            f"PostgreSQL at {address.place} shall be strictly durable, and {problem}",
            hint=_HINT.format(setting=setting),
        )
