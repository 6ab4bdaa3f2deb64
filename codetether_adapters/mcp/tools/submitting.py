"""Giving tasks, and taking them back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from codetether_adapters.mcp.arguments import argument
from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.clipping import clipped
from codetether_adapters.mcp.hub import Hub
from codetether_adapters.mcp.results import Cancelled, Created
from codetether_adapters.mcp.tasks import POLL_MS, standing
from codetether_adapters.mcp.tool import ADDS, ENDS, Link, Tool
from codetether_adapters.mcp.uris import task_uri
from codetether_core.errors import Conflict
from codetether_core.tasks import Task, TaskSpec

__all__ = ["CANCEL_TASK", "CREATE_TASK"]

_TITLE: Final = 80
_PRIORITY: Final = 2**31 - 1


@frozen(kw_only=True)
class CreateTask:
    codebase: str = argument(
        "Where to work: a codebase's id or unique name, or `global` for nowhere in particular.", shortest=1, longest=500
    )
    prompt: str = argument("What the agent is to do, with everything that it needs to know.", shortest=1)
    title: str | None = argument("A short title for people.", None, longest=500)
    agent_type: str | None = argument(
        "Type of agent, such as build, plan, explore or general; get_codebase tells which are offered.",
        None,
        longest=200,
    )
    model: str | None = argument("Model, as provider/model; the agent's own without.", None, longest=200)
    priority: int = argument("Higher is claimed first.", 0, least=-_PRIORITY, most=_PRIORITY)
    session_id: str | None = argument("A session of the codebase to go on with.", None, longest=500)
    idempotency_key: str | None = argument(
        "Calling again with the same key and arguments returns the first task instead of making another.",
        None,
        longest=500,
    )


@frozen(kw_only=True)
class CancelTask:
    task_id: str = argument("The task's id.", shortest=1, longest=200)


async def create(hub: Hub, exchange: Exchange, asked: CreateTask) -> Created:
    """A pending task."""
    place = await hub.place(exchange, asked.codebase)
    agent, key = asked.agent_type or hub.default_agent, asked.idempotency_key or ""
    if asked.session_id is not None:
        session = await hub.session(exchange, asked.session_id, place)
        task = await hub.services.conversation.resume(
            exchange.principal,
            place,
            session.id,
            prompt=asked.prompt,
            agent=agent,
            model=asked.model,
            title=asked.title or "",
            priority=asked.priority,
            key=key,
        )
    else:
        spec = TaskSpec(
            codebase=place,
            title=asked.title or asked.prompt[:_TITLE],
            prompt=asked.prompt,
            agent_type=agent,
            model=asked.model,
            priority=asked.priority,
        )
        task = await hub.services.submission.submit(exchange.principal, spec, key=key)
    return _created(task)


async def cancel(hub: Hub, exchange: Exchange, asked: CancelTask) -> Cancelled:
    """Ended by this, or as it had ended before."""
    task = await hub.task(exchange, asked.task_id)
    if not task.ended:
        try:
            task = await hub.services.submission.cancel(exchange.principal, task.id)
        except Conflict:  # it ended by itself meanwhile
            task = await hub.task(exchange, asked.task_id)
    return Cancelled(task_id=task.id, status=task.state, stopped=task.stopped)


def _created(task: Task) -> Created:
    return Created(
        task_id=task.id,
        codebase_id=clipped(task.spec.codebase),
        status=task.state,
        status_message=standing(task),
        poll_after_ms=POLL_MS,
    )


def _link(result: Created) -> Sequence[Link]:
    return [Link(task_uri(result.task_id), result.task_id, "The task, as it is when it is read.")]


CREATE_TASK: Final = Tool(
    name="create_task",
    title="Give a task to a coding agent",
    description=(
        "Have a coding agent do something in a codebase. Returns at once with a task_id: call wait_task until the task"
        " has ended or asks something. The agent changes files and runs commands on the worker's machine."
    ),
    permission="tasks:write",
    arguments=CreateTask,
    result=Created,
    hints=ADDS,
    run=create,
    links=_link,
)

CANCEL_TASK: Final = Tool(
    name="cancel_task",
    title="Cancel a task",
    description=(
        "End a task that nobody wants any more, also while it runs: the worker stops the agent and everything it"
        " started. What it changed stays. One that has ended already stays as it is."
    ),
    permission="tasks:write",
    arguments=CancelTask,
    result=Cancelled,
    hints=ENDS,
    run=cancel,
)
