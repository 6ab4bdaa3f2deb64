"""JSON-RPC with an agent, by the low-level connection of ``acp`` over the streams of a process that is ours.

Its types are not used: they refuse updates that are newer than they are, and its handlers of notifications run beside
each other, in no order. Imported only where such an agent is run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import anyio
from acp.connection import Connection
from acp.exceptions import RequestError

from codetether_adapters.agents.acp.lines import Lines
from codetether_adapters.agents.acp.speaking import AgentGone, AgentRefused, Speaking
from codetether_core.errors import CodeTetherError

__all__ = ["connected"]

Answering: TypeAlias = Callable[[str, object], Awaitable[Mapping[str, Any] | None]]

_INVALID_PARAMS = -32602


class _Spoken:
    """What can be said to the agent."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def request(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            answer = await self._connection.send_request(method, params)
        except RequestError as error:
            raise AgentRefused(error.code, str(error), error.data) from None
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, ConnectionError) as error:
            raise AgentGone from error
        return answer if isinstance(answer, Mapping) else {}

    async def notify(self, method: str, params: Mapping[str, Any]) -> None:
        try:
            await self._connection.send_notification(method, params)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, ConnectionError) as error:
            raise AgentGone from error


@asynccontextmanager
async def connected(lines: Lines, answering: Answering) -> AsyncIterator[Speaking]:
    """Speak over the lines; ``answering`` answers what the agent requests, ``None`` for what is not known here.

    Leaving cancels whatever is still being answered.
    """

    async def handle(method: str, params: object, notification: bool) -> Mapping[str, Any] | None:
        try:
            answer = await answering(method, params)
        except CodeTetherError as error:
            raise RequestError(_INVALID_PARAMS, error.message) from error
        if answer is None:
            raise RequestError.method_not_found(method)
        return answer

    connection = Connection(handle, lines)
    try:
        yield _Spoken(connection)
    finally:
        with anyio.CancelScope(shield=True):
            await connection.close()
