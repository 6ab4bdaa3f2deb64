"""The tasks extension's methods, which the protocol's library has not: what has to hold before ours answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from mcp import types
from mcp.server import Server
from mcp.shared.inbound import decode_header_value
from pydantic import Field

from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.served import Refused, Served
from codetether_adapters.mcp.task_words import EXTENSION, require_declared

__all__ = ["add_task_methods"]

_HEADER_MISMATCH: Final = -32020


class TaskParams(types.RequestParams):
    """Which task."""

    task_id: str = Field(alias="taskId")


class TaskUpdateParams(TaskParams):
    """Answers, by the names of what was asked."""

    answers: dict[str, Any] = Field(alias="inputResponses")


def add_task_methods(
    server: Server[Any],
    served: Served,
    handler: Callable[[Callable[[Exchange, Any], Awaitable[Mapping[str, Any]]]], Any],
) -> None:
    """Have the server answer them, and say so."""
    server.extensions[EXTENSION] = {}

    async def get(exchange: Exchange, params: TaskParams) -> Mapping[str, Any]:
        _require(exchange, params)
        return await served.task(exchange, params.task_id)

    async def update(exchange: Exchange, params: TaskUpdateParams) -> Mapping[str, Any]:
        _require(exchange, params)
        return await served.update_task(exchange, params.task_id, params.answers)

    async def cancel(exchange: Exchange, params: TaskParams) -> Mapping[str, Any]:
        _require(exchange, params)
        return await served.cancel_task(exchange, params.task_id)

    server.add_request_handler("tasks/get", TaskParams, handler(get))
    server.add_request_handler("tasks/update", TaskUpdateParams, handler(update))
    server.add_request_handler("tasks/cancel", TaskParams, handler(cancel))


def _require(exchange: Exchange, params: TaskParams) -> None:
    """``Refused`` for a client that does not know the extension, or whose headers say something else."""
    require_declared(exchange)
    if decode_header_value(exchange.native.request.headers.get("mcp-name")) != params.task_id:
        raise Refused(_HEADER_MISMATCH, "Mcp-Name is not the task's id")
