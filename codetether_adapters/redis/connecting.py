"""Opening connections."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from anyio import CancelScope
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from codetether_adapters.redis.address import Address, Server
from codetether_adapters.redis.failures import LOST

__all__ = ["SILENCE", "connection_to", "hang_up"]

SILENCE: Final = 5.0
"""Seconds without a reply after which a connection counts as lost."""

_CONNECTING: Final = 2.0


def connection_to(address: Address, server: Server) -> AbstractConnection:
    """A connection that is not open yet; retrying is ours, so the driver's is off."""
    host, port = server
    given: dict[str, Any] = {
        "host": host,
        "port": port,
        "db": address.db,
        "username": address.user,
        "password": address.password,
        "protocol": 2,
        "socket_timeout": SILENCE,
        "socket_connect_timeout": _CONNECTING,
        "socket_keepalive": True,
        "retry": Retry(NoBackoff(), 0),
        "client_name": "codetether",
    }
    if not address.tls:
        return Connection(**given)
    given |= {"ssl_ca_certs": address.ca, "ssl_certfile": address.cert, "ssl_keyfile": address.key}
    return SSLConnection(**given, ssl_check_hostname=True)


async def hang_up(connection: AbstractConnection) -> None:
    """Until the socket is closed, whoever is cancelled: TLS takes its leave before, and needs the loop for that."""
    with CancelScope(shield=True), suppress(*LOST):
        await connection.disconnect()
