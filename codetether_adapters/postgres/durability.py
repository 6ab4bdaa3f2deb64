"""Whether the server keeps what it committed.

Our own sessions commit to its disk whatever the default of the database is. Standbys are waited for where
``synchronous_standby_names`` names some, unless ``synchronous_commit`` was made to say otherwise.
"""

from __future__ import annotations

import logging
from typing import Final

from codetether_adapters.postgres.address import Address
from codetether_adapters.postgres.connection import Connection
from codetether_core.errors import Unavailable

__all__ = ["check_durability", "shortcoming"]

_log = logging.getLogger(__name__)

_SETTINGS: Final = """
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
    """Say what may be lost; ``Unavailable`` if nothing may."""
    row = await (await connection.execute(_SETTINGS)).fetchone()
    problem, setting = shortcoming(*row) if row else ("", "")
    if not problem:
        return
    if strict:
        raise Unavailable(
            f"PostgreSQL at {address.place} shall be strictly durable, and {problem}",
            hint=_HINT.format(setting=setting),
        )
    _log.warning("PostgreSQL at %s %s", address.place, problem)
