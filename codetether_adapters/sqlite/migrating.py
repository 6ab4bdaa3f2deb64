"""Bringing a file's schema up to date ahead of a server, or looking at it beside one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from codetether_adapters.sqlite.address import file_of
from codetether_adapters.sqlite.connection import connect, unavailable
from codetether_adapters.sqlite.lock import owned, require_room
from codetether_adapters.sqlite.schema import SCHEMA, bring_up_to_date, schema_of
from codetether_core.ports import Migrations

__all__ = ["migrate"]


async def migrate(url: str, *, check: bool = False) -> Migrations:
    """Apply what is pending, or with ``check`` only look, also while a server has the file; how it stands then."""
    path = file_of(url)
    try:
        if check:
            return _steps(_look(path))
        with owned(path), closing(connect(path)) as connection:
            bring_up_to_date(connection, path)
            return _steps(SCHEMA)
    except sqlite3.Error as error:
        raise unavailable(error, path) from error


def _look(path: Path) -> int:
    if not path.exists():
        require_room(path)
        return 0
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return schema_of(connection, path)


def _steps(applied: int) -> Migrations:
    return Migrations((*range(1, applied + 1),), (*range(applied + 1, SCHEMA + 1),))
