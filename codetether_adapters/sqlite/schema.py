"""The schema, its version, and whether this program may read a file.

A file says which ``schema`` it has and the least version of a program that may read it, ``min_reader``; only a program
below that is refused. Migrations go forward only, each in one transaction; what a release stops using is dropped a
release later, so that two releases can take turns.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from codetether_core.errors import Unavailable

__all__ = ["MIGRATIONS", "SCHEMA", "bring_up_to_date", "schema_of"]

MIGRATIONS: Final = tuple(
    files("codetether_adapters.sqlite").joinpath(name).read_text(encoding="utf-8")
    for name in ("schema.sql", "audit.sql", "lists.sql", "webhooks.sql", "erased.sql")
)
"""The step to version 1, the step from 1 to 2, …"""

SCHEMA: Final = len(MIGRATIONS)
"""The version that this program knows."""

_MIN_READER: Final = 3
"""What is older writes tasks without saying whose they are."""

_APPLICATION: Final = int.from_bytes(b"CTet")


def bring_up_to_date(connection: sqlite3.Connection, path: Path) -> Mapping[str, str | int]:
    """Bring the file to this program's schema, or refuse it; what ``meta`` says then."""
    for version in range(schema_of(connection, path) + 1, SCHEMA + 1):
        _step(connection, version)
    return _meta(connection)


def schema_of(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the file's schema, 0 if it is empty; ``Unavailable`` if it is not ours to use."""
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,):
        return 0
    if connection.execute("PRAGMA application_id").fetchone() != (_APPLICATION,):
        raise Unavailable(
            f"{path} is a database of another program", hint="name another file for the store", path=str(path)
        )
    meta = _meta(connection)
    if int(meta["min_reader"]) > SCHEMA:
        raise Unavailable(
            f"{path} needs a newer CodeTether: its data are of version {meta['schema']}, this program knows {SCHEMA}",
            hint="install the newer release, or restore a backup made by this one",
            path=str(path),
        )
    return int(meta["schema"])


def _meta(connection: sqlite3.Connection) -> dict[str, str | int]:
    return dict(connection.execute("SELECT name, value FROM meta").fetchall())


def _step(connection: sqlite3.Connection, version: int) -> None:
    new = {"epoch": secrets.token_hex(8), "start": 0} if version == 1 else {}
    marks = {"schema": version, "min_reader": _MIN_READER, **new}
    try:
        connection.executescript(f"BEGIN IMMEDIATE; PRAGMA application_id = {_APPLICATION};\n{MIGRATIONS[version - 1]}")
        connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", marks.items())
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
