"""Showing a task."""

from __future__ import annotations

from typing import Any

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.bounds import history_length
from codetether_adapters.a2a.request import Request
from codetether_adapters.a2a.views import view
from codetether_adapters.a2a_wire.dialect import Dialect
from codetether_adapters.a2a_wire.values import GetTask

__all__ = ["get"]


async def get(agent: Agent, request: Request, dialect: Dialect, params: Any) -> Any:
    """The task as it is, with everything that it made."""
    asked = dialect.parse(GetTask, params)
    length = history_length(asked.history_length)
    task = await agent.task(request.principal, asked.id)
    return dialect.dump(await view(agent, request, task, history_length=length))
