"""Connections, and SQLite's errors in our words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from codetether_core.errors import Unavailable

__all__ = ["connect", "translated", "unavailable"]

_HINTS: Final = {
    sqlite3.SQLITE_FULL: "free some space; nothing that was accepted is lost",
    sqlite3.SQLITE_IOERR: "look at the disk and its free space; nothing that was accepted is lost",
    sqlite3.SQLITE_READONLY: "make the file and its directory writable for this user",
    sqlite3.SQLITE_CANTOPEN: "make the file and its directory readable and writable for this user",
    sqlite3.SQLITE_PERM: "make the file and its directory writable for this user",
    sqlite3.SQLITE_BUSY: "close the other program that has the file open for writing",
    sqlite3.SQLITE_NOTADB: "name another file, or restore a backup",
    sqlite3.SQLITE_CORRUPT: "move the file away and restore a backup",
}
_PRIMARY_CODE: Final = 0xFF


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection that leaves transactions to us and may be closed from another thread."""
    connection = sqlite3.connect(
        path, timeout=0.1, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "temp_store = MEMORY",
        "cache_size = -16384",
        "wal_autocheckpoint = 4000",
        "journal_size_limit = 67108864",
        "secure_delete = ON",  # what was erased is nowhere in the file
        *(("query_only = ON",) if read_only else ()),
    ):
        connection.execute(f"PRAGMA {pragma}").close()
    return connection


def unavailable(error: sqlite3.Error, path: Path | None = None) -> Unavailable:
    """SQLite's complaint with the next step, about the file at ``path`` if that is known."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
    name = f"The SQLite store {path}" if path else "The SQLite store"
    return Unavailable(f"{name} failed: {error}", hint=_HINTS.get(code, ""))


@contextmanager
def translated() -> Iterator[None]:
    """Raise ``Unavailable`` for what SQLite raises inside."""
    try:
        yield
    except sqlite3.Error as error:
        raise unavailable(error) from error
