"""Stores in one SQLite file, owned by one process: durable, and nothing to install.

All writes go through one writer, which puts what waits into one transaction with full synchronisation and no timer: a
lone write is committed at once, many share one ``fsync``. Each operation has a savepoint of its own, so one that is
refused takes no other with it. After the commit the records go to the ring, the swapped tasks to the cache, the bells
ring, and only then do the callers learn of it. Short reads happen on the event loop's thread, where they take
microseconds; long ones in threads of their own.
"""

from codetether_adapters.sqlite.backend import SqliteBackend, open_backend
from codetether_adapters.sqlite.migrating import migrate

__all__ = ["SqliteBackend", "migrate", "open_backend"]
