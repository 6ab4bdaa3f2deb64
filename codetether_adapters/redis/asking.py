"""Asking a server over a connection that nobody else uses at the moment."""

from __future__ import annotations

from typing import Any, TypeAlias

from redis.asyncio.connection import AbstractConnection

__all__ = ["Command", "answer", "ask", "facts"]

Command: TypeAlias = tuple[str | bytes | int, ...]


async def ask(connection: AbstractConnection, *command: str | bytes | int) -> Any:
    """The reply; an error leaves the connection open."""
    await connection.send_command(*command)
    return await answer(connection)


async def answer(connection: AbstractConnection) -> Any:
    """The next reply."""
    return await connection.read_response(disconnect_on_error=False)


def facts(info: bytes) -> dict[str, str]:
    """What ``INFO`` says."""
    pairs = (line.partition(":") for line in info.decode().splitlines() if not line.startswith("#"))
    return {name: value for name, colon, value in pairs if colon}
