"""Reading: what an index answers in microseconds on the event loop's thread, the rest in threads of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local
from typing import Any, Final, TypeAlias, TypeVar

from codetether_adapters.sqlite.connection import connect, translated

__all__ = ["Reader", "Row"]

T = TypeVar("T")
Row: TypeAlias = tuple[Any, ...]

_THREADS: Final = 2


class Reader:
    """Connections that only read; each sees what was committed last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connections: list[sqlite3.Connection] = []
        self._near = self._open()
        self._far = local()
        self._threads = ThreadPoolExecutor(_THREADS, "sqlite-reader")

    def row(self, sql: str, *values: Any) -> Row | None:
        """The first row of a short query."""
        with translated():
            row: Row | None = self._near.execute(sql, values).fetchone()
            return row

    def rows(self, sql: str, *values: Any) -> Sequence[Row]:
        """All rows of a short query."""
        with translated():
            return self._near.execute(sql, values).fetchall()

    async def scan(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query that may be long, at one state of the store."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._at_one_state, query)

    async def close(self) -> None:
        """Finish what is being read, then close."""
        await asyncio.to_thread(self._threads.shutdown)
        for connection in self._connections:
            connection.close()

    def _at_one_state(self, query: Callable[[sqlite3.Connection], T]) -> T:
        with translated():
            connection = self._of_this_thread()
            connection.execute("BEGIN")
            try:
                return query(connection)
            finally:
                connection.execute("ROLLBACK")

    def _of_this_thread(self) -> sqlite3.Connection:
        try:
            connection: sqlite3.Connection = self._far.connection
        except AttributeError:
            connection = self._far.connection = self._open()
        return connection

    def _open(self) -> sqlite3.Connection:
        with translated():
            connection = connect(self._path, read_only=True)
        self._connections.append(connection)
        return connection
