"""Everything that a store has, as bytes to look for words in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from redis import Redis

from tests.servers.postgres import overseeing
from tests.stores.postgres_walls import tables

__all__ = ["dump"]


def dump(directory: Path, store: str | None) -> bytes:
    """Every byte of every file below, and whatever the store's server gives who asks it for all."""
    files = [path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()]
    if store is not None:
        files.append(_postgresql(store) if store.startswith("postgresql") else _redis(store))
    return b"\0".join(files)


def _postgresql(url: str) -> bytes:
    with overseeing(url) as connection:
        rows = [row for table in tables(url) for row in connection.execute(f"SELECT * FROM {table}".encode())]
    return b"\0".join(each if isinstance(each, bytes) else str(each).encode() for row in rows for each in row)


def _redis(url: str) -> bytes:
    with Redis.from_url(url.partition("?")[0]) as server:
        return b"\0".join(name + _value(server, name) for name in server.scan_iter())


def _value(server: Any, name: bytes) -> bytes:
    read = {
        b"string": server.get,
        b"hash": server.hgetall,
        b"zset": lambda name: server.zrange(name, 0, -1),
        b"stream": server.xrange,
    }
    found = read[server.type(name)](name)
    return found if isinstance(found, bytes) else repr(found).encode()
