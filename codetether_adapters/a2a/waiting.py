"""Waiting for a task: listen, look, wait for the bell. Nobody's going, ours or the client's, is the task's affair."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Final

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.following import topic_of
from codetether_adapters.a2a.request import Request
from codetether_core.errors import Unavailable
from codetether_core.tasks import Task, TaskState

__all__ = ["settled"]

_ASKING: Final = TaskState.INPUT_REQUIRED

_PAUSE: Final = timedelta(milliseconds=30)
"""Between two looks at a task: a run that prints rings often."""


async def settled(agent: Agent, request: Request, task: Task) -> Task:
    """The task once it has ended or asks something, or as it is when nobody waits any more.

    While the store is away it is as it was last.
    """
    tasks, leaving, rung = agent.services.backend.tasks, False, False
    with agent.services.backend.notifier.listen(topic_of(task)) as bell:

        def leave() -> None:
            nonlocal leaving
            leaving = True
            bell.ring()

        async with request.attended(leave):
            while True:
                with suppress(Unavailable):
                    task = await tasks.get(task.tenant, task.id)
                if task.ended or task.state is _ASKING or leaving:
                    return task
                if await bell.wait(agent.beat):
                    if rung:
                        await agent.services.clock.sleep(_PAUSE)
                    rung = True
