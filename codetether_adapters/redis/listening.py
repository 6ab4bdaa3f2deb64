"""Hearing messages on a connection that has subscribed to something."""

from __future__ import annotations

from typing import Any, Final

from redis.asyncio.connection import AbstractConnection

__all__ = ["next_message"]

_QUIET: Final = 5.0
"""Seconds of silence after which the server is asked whether it is still there."""


async def next_message(connection: AbstractConnection) -> Any:
    """The next message; nothing if the server only said that it is still there."""
    message = await connection.read_response(timeout=_QUIET, disconnect_on_error=False)
    if message is None:
        await connection.send_command("PING")
        message = await connection.read_response()
    return None if message is None or message[0] == b"pong" else message
