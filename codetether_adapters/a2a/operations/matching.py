"""Which tasks are in a state of the protocol's, and how many.

What stores keep in one state may be in two here: those of the other are passed over, and not counted.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Final

from attrs import evolve

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.request import Request
from codetether_adapters.a2a.telling import state_of
from codetether_adapters.a2a_wire.values import TaskState
from codetether_core.approvals import Approval, ApprovalState
from codetether_core.ports import TaskQuery
from codetether_core.tasks import Task
from codetether_core.tasks import TaskState as State

__all__ = ["STATES", "matching", "total"]

STATES: Final[Mapping[TaskState, frozenset[State]]] = {
    TaskState.SUBMITTED: frozenset({State.PENDING}),
    TaskState.WORKING: frozenset({State.PENDING, State.RUNNING}),
    TaskState.INPUT_REQUIRED: frozenset({State.INPUT_REQUIRED}),
    TaskState.AUTH_REQUIRED: frozenset({State.INPUT_REQUIRED}),
    TaskState.COMPLETED: frozenset({State.COMPLETED}),
    TaskState.FAILED: frozenset({State.FAILED}),
    TaskState.REJECTED: frozenset({State.FAILED}),
    TaskState.CANCELED: frozenset({State.CANCELLED}),
}
"""Where stores keep tasks of each state."""

_SHARED: Final = frozenset({State.PENDING, State.INPUT_REQUIRED, State.FAILED})
"""The states of stores that are two here."""

_COMMON: Final = (TaskState.SUBMITTED, TaskState.INPUT_REQUIRED, TaskState.FAILED)
"""What most of those are."""

_PAGE: Final = 100
_MOST: Final = 1_000
"""How many of a shared state are looked at, one by one, to be counted."""


async def matching(agent: Agent, request: Request, query: TaskQuery) -> AsyncGenerator[Task, None]:
    """Every task that matches, page by page."""
    while page := await agent.services.backend.tasks.list(request.principal.tenant, query):
        for task in page:
            yield task
        if len(page) < query.limit:
            return
        query = evolve(query, beyond=(page[-1].since, page[-1].id))


async def total(agent: Agent, request: Request, query: TaskQuery, asked: TaskState) -> int:
    """How many tasks match and are in the state that is asked for, wherever in the order they are.

    Where stores keep more than 1,000 of those in a state that is two here, those beyond the latest 1,000 are taken for
    what most of them are.
    """
    query = evolve(query, beyond=None, limit=_PAGE)
    shared = query.states & _SHARED if query.states is not None else None
    if not shared:
        return await _kept(agent, request, query)
    others = STATES[asked] - shared
    alone = await _kept(agent, request, evolve(query, states=others)) if others else 0
    looked_at = found = 0
    async with aclosing(matching(agent, request, evolve(query, states=shared))) as tasks:
        async for task in tasks:
            if looked_at == _MOST:
                break
            looked_at += 1
            found += state_of(task, await _open(agent, request, task)) is asked
        else:
            return alone + found
    beyond = await _kept(agent, request, evolve(query, states=shared)) - looked_at
    return alone + found + (max(beyond, 0) if asked in _COMMON else 0)


async def _kept(agent: Agent, request: Request, query: TaskQuery) -> int:
    return await agent.services.backend.tasks.total(request.principal.tenant, query)


async def _open(agent: Agent, request: Request, task: Task) -> list[Approval]:
    """What the task asks."""
    if task.state is not State.INPUT_REQUIRED:
        return []
    return [*await agent.services.questions.find(request.principal, task=task.id, state=ApprovalState.OPEN)]
