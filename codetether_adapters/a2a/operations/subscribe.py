"""Watching a task."""

from __future__ import annotations

from typing import Any

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.errors import UNSUPPORTED_OPERATION, Refused
from codetether_adapters.a2a.following import Frames, follow, known_records
from codetether_adapters.a2a.place import Place
from codetether_adapters.a2a.request import Request
from codetether_adapters.a2a_wire.dialect import Dialect
from codetether_adapters.a2a_wire.values import Subscribe

__all__ = ["subscribe"]


async def subscribe(agent: Agent, request: Request, dialect: Dialect, params: Any) -> Frames:
    """The task and what happens to it, to its end; what is left of it for who was cut.

    ``Refused`` for one that has ended, unless it ended while the reader was away.
    """
    asked = dialect.parse(Subscribe, params)
    after = Place.parse(request.last_event_id) if request.last_event_id else None
    task = await agent.task(request.principal, asked.id)
    known = 0
    if after is None:
        known = await known_records(agent, task)
        task = await agent.task(request.principal, asked.id)
        if task.ended:
            problem = f"The task is {task.state} already: get it instead"
            raise Refused(UNSUPPORTED_OPERATION, problem, taskId=task.id, state=task.state.value)
    return follow(agent, request, dialect, task, known=known, after=after, stays=True)
