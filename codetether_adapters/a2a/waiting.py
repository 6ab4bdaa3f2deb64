"""Waiting for a task: listen, look, wait for the bell. Nobody's going, ours or the client's, is the task's affair."""

from __future__ import annotations

from typing import Final

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.following import topic_of
from codetether_adapters.a2a.request import Request
from codetether_core.tasks import Task, TaskState

__all__ = ["settled"]

_ASKING: Final = TaskState.INPUT_REQUIRED


async def settled(agent: Agent, request: Request, task: Task) -> Task:
    """The task once it has ended or asks something, or as it is when nobody waits any more."""
    tasks, leaving = agent.services.backend.tasks, False
    with agent.services.backend.notifier.listen(topic_of(task)) as bell:

        def leave() -> None:
            nonlocal leaving
            leaving = True
            bell.ring()

        async with request.attended(leave):
            while True:
                task = await tasks.get(task.tenant, task.id)
                if task.ended or task.state is _ASKING or leaving:
                    return task
                await bell.wait(agent.beat)
