"""Ending a task."""

from __future__ import annotations

from typing import Any

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.errors import TASK_NOT_CANCELABLE, Refused
from codetether_adapters.a2a.request import Request
from codetether_adapters.a2a.views import view
from codetether_adapters.a2a_wire.dialect import Dialect
from codetether_adapters.a2a_wire.values import CancelTask
from codetether_core.errors import Conflict

__all__ = ["cancel"]


async def cancel(agent: Agent, request: Request, dialect: Dialect, params: Any) -> Any:
    """The task, which has ended by this; ``Refused`` if it had before."""
    asked = dialect.parse(CancelTask, params)
    task = await agent.task(request.principal, asked.id)
    if task.ended:
        raise _over(task.id, task.state)
    try:
        task = await agent.services.submission.cancel(request.principal, task.id)
    except Conflict as conflict:  # it ended by itself meanwhile
        raise _over(task.id, str(conflict.details.get("state", ""))) from None
    return dialect.dump(await view(agent, request, task))


def _over(id: str, state: str) -> Refused:
    return Refused(TASK_NOT_CANCELABLE, f"The task is {state} already", taskId=id, state=state)
