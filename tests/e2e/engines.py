"""The stores that the same tests run on, each a real server of this test process but SQLite, which needs none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

__all__ = ["ENGINES", "KEPT", "SHARED", "store_settings"]

KEPT: Final = "postgresql with a keeper"
"""A store with two logins; not one of ``ENGINES``, as it is the same one."""


def store_settings(engine: str) -> dict[str, str]:
    """What a server has to be told to use a new, empty store of that kind."""
    return {KEPT: _kept, **_MAKERS}[engine]()


def _sqlite() -> dict[str, str]:
    return {}  # a file in the server's data directory


def _postgresql() -> dict[str, str]:
    from tests.servers.postgres import new_store

    return {"CODETETHER_STORE": new_store()}


def _kept() -> dict[str, str]:
    from tests.servers.postgres import bound, new_store

    keeper = new_store()
    return {"CODETETHER_STORE": bound(keeper), "CODETETHER_STORE_KEEPER": keeper}


def _redis() -> dict[str, str]:
    from tests.servers.valkey import fresh, own_server

    return {"CODETETHER_STORE": fresh(own_server().url)}


def _cluster() -> dict[str, str]:
    from tests.servers.valkey import fresh, own_cluster

    return {"CODETETHER_STORE": fresh(own_cluster().url)}


_MAKERS: Final[Mapping[str, Callable[[], dict[str, str]]]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "redis": _redis,
    "redis-cluster": _cluster,
}

ENGINES: Final = tuple(_MAKERS)
"""All of them."""

SHARED: Final = tuple(engine for engine in ENGINES if engine != "sqlite")
"""Those that several servers may have at once."""
