"""Looking at a server whenever a connection to it is opened: whether it can be the store, and what it promises.

A failover, a restart or a name that leads elsewhere may have put another one in its place.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ReadOnlyError, ResponseError

from codetether_adapters.redis.address import Address
from codetether_adapters.redis.asking import ask, facts
from codetether_adapters.redis.durability import SETTINGS, require_strict, shortcomings
from codetether_core.errors import Invalid, Unavailable

__all__ = ["Greeter", "require_fit", "require_kind"]

_log = logging.getLogger(__name__)

_LEAST: Final = (7, 0)


class Greeter:
    """Looks at the servers of one store. Of each it says once what its settings may lose, unless that changes."""

    def __init__(self, address: Address, *, strict: bool) -> None:
        self._address = address
        self._strict = strict
        self._told: dict[str, str] = {}

    async def greet(self, connection: AbstractConnection, name: str) -> None:
        """Raise what is wrong with the server ``name``, at the other end of a new connection."""
        said = facts(await ask(connection, "INFO"))
        require_fit(said, self._address, name)
        settings = await _settings(connection)
        if self._strict:
            require_strict(settings, name)
            return
        lacking = "; it ".join(shortcomings(settings, int(said.get("connected_slaves", "0"))))
        if self._told.get(name) == lacking:
            return
        self._told[name] = lacking
        if lacking:
            _log.warning("The Redis store at %s %s (strict durability does not accept that)", name, lacking)
        else:
            _log.info("The Redis store at %s brings every write to its disk before it answers", name)


def require_fit(said: Mapping[str, str], address: Address, name: str) -> None:
    """Raise why a server that says so of itself cannot be the store."""
    version = said.get("redis_version", "0")
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < _LEAST:
        raise Unavailable(
            f"The Redis store at {name} is of version {version}, and 7.0 is the least that will do",
            hint="install Valkey 8 or later, or Redis 7 or later",
        )
    require_kind(said, address, "store")
    if said.get("maxmemory", "0") != "0" and said.get("maxmemory_policy") != "noeviction":
        raise Unavailable(
            f"The Redis store at {name} throws data away when it is full",
            hint="set maxmemory-policy noeviction on the server",
        )


def require_kind(said: Mapping[str, str], address: Address, field: str) -> None:
    """Raise why a server is not of the kind that the address in ``field`` of the settings says."""
    clustered = said.get("cluster_enabled") == "1"
    if clustered and not address.cluster:
        raise Invalid(field, "names one server of a cluster", hint="write redis+cluster://host:port,host:port")
    if address.cluster and not clustered:
        raise Invalid(field, "says cluster, and the server is none", hint="write redis://host:port/0")
    if said.get("role") == "slave" and not address.cluster:
        raise ReadOnlyError


async def _settings(connection: AbstractConnection) -> dict[str, str]:
    """What the server says of its disk; nothing where it does not let us ask."""
    try:
        found = await ask(connection, "CONFIG", "GET", *SETTINGS)
    except ResponseError:
        return {}
    texts = [text.decode() for text in found]
    return dict(zip(texts[::2], texts[1::2], strict=True))
