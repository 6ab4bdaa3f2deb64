"""The Redis stores keep their contracts under strict durability, where an answer waits for a replica's disk."""

import atexit
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial

import pytest

from codetether_adapters.redis import open_backend
from codetether_core.ports import Backend
from contracts.ports import (
    boundary_examples,
    event_log_contract,
    notifier_contract,
    processes_contract,
    races_contract,
)
from tests.servers.valkey import Valkey, fresh, wait_until

pytestmark = pytest.mark.recent

_CAREFUL = ("--appendonly", "yes", "--appendfsync", "always", "--repl-diskless-sync-delay", "0")


@cache
def primary() -> Valkey:
    """One whose replica has caught up."""
    server = Valkey(*_CAREFUL).start()
    atexit.register(server.close)
    replica = Valkey(*_CAREFUL, "--replicaof", f"127.0.0.1 {server.port}").start()
    atexit.register(replica.close)
    wait_until(lambda: "'online'" in str(server.ask("INFO", "replication")), "the replica is there")
    return server


@asynccontextmanager
async def new_store() -> AsyncIterator[Backend]:
    """A store under a prefix of its own."""
    async with open_backend(fresh(primary().url), strict=True) as backend:
        yield backend


TestBoundaries = boundary_examples(new_store)
TestEventLog = event_log_contract(new_store)
TestNotifier = notifier_contract(new_store)
TestRaces = races_contract(new_store)
TestProcesses = processes_contract(lambda: partial(open_backend, fresh(primary().url), strict=True))
