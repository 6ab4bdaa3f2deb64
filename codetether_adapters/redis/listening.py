"""Hearing messages on a connection that has subscribed to something."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from redis.asyncio.connection import AbstractConnection

__all__ = ["next_message"]

_QUIET: Final = 5.0
"""Seconds of silence after which the server is asked whether it is still there."""


async def next_message(connection: AbstractConnection) -> Any:
    """The next message; nothing if the server only said that it is still there.

    What the driver sends it sends within ``wait_for``, which in CPython 3.11 loses a cancellation that comes just as
    all is sent: whoever listens for ever would do so although told to stop.
    """
    if (task := asyncio.current_task()) is not None and task.cancelling():
        raise asyncio.CancelledError
    message = await connection.read_response(timeout=_QUIET, disconnect_on_error=False)
    if message is None:
        await connection.send_command("PING")
        message = await connection.read_response()
    return None if message is None or message[0] == b"pong" else message
