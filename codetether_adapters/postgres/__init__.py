"""Stores in a PostgreSQL database, shared by any number of replicas.

Each replica's writer puts what waits into one transaction: the statements of all operations in one round trip, their
events and the commit in another. A transaction that appends to the log holds the log's lock from its beginning to its
commit, so positions become visible in their order, and a reader misses nothing that commits late. Each replica
hears of the others' commits and reads the log's new end once, for all readers of the process. It is told by the
database, or over another channel that is given; as either may lose something, it looks every second besides.

Tenants are kept apart twice: each statement asks for one tenant's rows, and row security shows a session no other's.
A session works for one tenant at a time, or is the keeper's; that is another login if one is given, and else the same.
A replica has at most twelve sessions: six that read for one tenant at a time, two that read what is about all of them,
two that write for tenants, one that writes what is of none or of all, one that listens. A server that goes away makes
every call ``Unavailable``; everything goes on by itself once it is back.
"""

from codetether_adapters.postgres.backend import PostgresBackend, open_backend
from codetether_adapters.postgres.schema import migrate

__all__ = ["PostgresBackend", "migrate", "open_backend"]
