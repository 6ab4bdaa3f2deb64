"""Stores in Valkey or Redis, on one server or on a cluster: what several replicas share.

The data are spread over *shards*, each in one slot of a cluster; everything of a codebase is in one of them, so that
one Lua script does a whole logical write there: compare, swap, file, append to the log, ring the bell. Positions are
given out by that script, so their order is the order in which they become visible.

All callers of a process share one connection to each server; what waits in one turn of the loop is one pipeline. A
command whose reply was lost may have been done, so every write carries a token by which its repetition is known.
A slot may move to another server under load. Key by key (``CLUSTER SETSLOT``) its shard waits until all of it is
there, for a script that finds half of its keys must do nothing; as a whole (``CLUSTER MIGRATESLOTS`` of Valkey 9)
nobody waits.
Messages of the server's pub/sub are wake-ups and never data: a process follows each shard's log by itself, and its
readers are served from the ring of what it has seen.

``open_channel`` is for processes whose store is another one, and which only tell each other that there is news in it.
"""

from codetether_adapters.redis.backend import RedisBackend, open_backend
from codetether_adapters.redis.beginning import migrate
from codetether_adapters.redis.channel import open_channel

__all__ = ["RedisBackend", "migrate", "open_backend", "open_channel"]
