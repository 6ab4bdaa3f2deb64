"""The stores under measurement: real servers of their own that write to the disk."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import count

import psutil
from attrs import frozen

from tests.bench.accounting import cpu_seconds

__all__ = ["ENGINES", "Storage", "storage"]

_APPENDING = ("--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0")


@frozen
class Storage:
    """``new`` gives the address of a new store in it; its processes are none where it lives in ours."""

    engine: str
    new: Callable[[], str]
    processes: Sequence[psutil.Process] = ()

    def cpu_seconds(self) -> float:
        """What its processes cost so far."""
        return cpu_seconds(self.processes)


@contextmanager
def storage(engine: str) -> Iterator[Storage]:
    """One of these; it goes with all that is in it."""
    with ENGINES[engine]() as made:
        yield made


@contextmanager
def _sqlite() -> Iterator[Storage]:
    """With full synchronisation."""
    with tempfile.TemporaryDirectory(prefix="codetether-bench-") as directory:
        numbers = count()
        yield Storage("sqlite", lambda: f"sqlite:///{directory}/{next(numbers)}/bench.db")


@contextmanager
def _postgresql() -> Iterator[Storage]:
    """With ``fsync`` and ``synchronous_commit`` on."""
    from tests.servers.postgres import PostgresServer

    server = PostgresServer.make(durable=True)
    try:
        yield Storage("postgresql", lambda: server.url(server.new_database()), [psutil.Process(server.pid)])
    finally:
        server.remove()


@contextmanager
def _redis() -> Iterator[Storage]:
    """With an append-only file that is synchronised every second."""
    from tests.servers.valkey import Valkey, fresh

    server = Valkey(*_APPENDING)
    try:
        server.start()
        yield Storage("redis", lambda: fresh(server.url), [psutil.Process(server.pid)])
    finally:
        server.close()


@contextmanager
def _cluster() -> Iterator[Storage]:
    """Three masters like that; a codebase is on one of them."""
    from tests.servers.valkey import ValkeyCluster, fresh

    cluster = ValkeyCluster(*_APPENDING)
    try:
        cluster.start()
        yield Storage(
            "redis-cluster", lambda: fresh(cluster.url), [psutil.Process(master.pid) for master in cluster.masters]
        )
    finally:
        cluster.close()


ENGINES: Mapping[str, Callable[[], AbstractContextManager[Storage]]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "redis": _redis,
    "redis-cluster": _cluster,
}
