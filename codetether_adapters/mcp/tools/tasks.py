"""Looking at tasks."""

# ruff: noqa: RUF009 - `argument` makes an attrs field, no shared value

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from attrs import evolve, frozen

from codetether_adapters.mcp.arguments import argument
from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.hub import Hub
from codetether_adapters.mcp.paging import gather, place_in
from codetether_adapters.mcp.results import TaskDetails, TaskRow, Tasks
from codetether_adapters.mcp.tasks import details, row
from codetether_adapters.mcp.tool import LOOKS, Link, Tool
from codetether_adapters.mcp.uris import output_uri, task_uri
from codetether_core.codec import moment, timestamp
from codetether_core.errors import Invalid
from codetether_core.ids import TaskId
from codetether_core.ports import TaskOrder, TaskQuery
from codetether_core.tasks import TaskState

__all__ = ["GET_TASK", "LIST_TASKS", "links_of"]


@frozen(kw_only=True)
class GetTask:
    task_id: str = argument("The task's id.", shortest=1, longest=200)
    detail: Literal["concise", "full"] = argument("full shows the prompt as well.", "concise")


@frozen(kw_only=True)
class ListTasks:
    codebase: str | None = argument("Only those of this codebase: an id or a unique name.", None, longest=500)
    status: tuple[TaskState, ...] = argument("Only those in one of these states.", ())
    since: datetime | None = argument("Only those that came into their state at this moment or later.", None)
    limit: int = argument("How many at most.", 20, least=1, most=100)
    cursor: str | None = argument("next_cursor of the page before.", None, longest=2000)


async def show(hub: Hub, exchange: Exchange, asked: GetTask) -> TaskDetails:
    """One."""
    return await details(hub, exchange, await hub.task(exchange, asked.task_id), full=asked.detail == "full")


async def find(hub: Hub, exchange: Exchange, asked: ListTasks) -> Tasks:
    """A page of those that the caller may see, the last changed first."""
    reach = await hub.reach(exchange.principal)
    query = TaskQuery(
        codebase=await hub.place(exchange, asked.codebase) if asked.codebase else None,
        states=frozenset(asked.status) or None,
        created_by=None if reach.everybody else reach.name,
        since=asked.since,
        order=TaskOrder.CHANGED,
        limit=asked.limit + 1,
        beyond=_place(asked.cursor),
    )
    items, following = await gather(_rows(hub, exchange, query), asked.limit)
    return Tasks(items=items, next_cursor=following)


async def _rows(hub: Hub, exchange: Exchange, query: TaskQuery) -> AsyncIterator[tuple[TaskRow, Any]]:
    while page := await hub.services.backend.tasks.list(exchange.principal.tenant, query):
        for task in page:
            yield row(task), [timestamp(task.since), task.id]
        query = evolve(query, beyond=(page[-1].since, page[-1].id))


def _place(cursor: str | None) -> tuple[datetime, TaskId] | None:
    match place_in(cursor):
        case None:
            return None
        case [str() as at, str() as id] if id:
            try:
                return moment(at), TaskId(id)
            except ValueError:
                pass
    raise Invalid("cursor", "is not one that this server gave", hint="leave it out to begin at the beginning")


def links_of(result: TaskDetails) -> Sequence[Link]:
    """The task, and what it printed."""
    return [
        Link(task_uri(result.task_id), result.title, "This task, as it is when it is read."),
        Link(output_uri(result.task_id), "output", "What it has printed.", "text/plain"),
    ]


GET_TASK: Final = Tool(
    name="get_task",
    title="Show a task",
    description=(
        "Show how a task stands: its status, result or error, and what its agent asks. To wait until that changes use"
        " wait_task; what it prints is in get_task_output."
    ),
    permission="tasks:read",
    arguments=GetTask,
    result=TaskDetails,
    hints=LOOKS,
    run=show,
    links=links_of,
)

LIST_TASKS: Final = Tool(
    name="list_tasks",
    title="List tasks",
    description="List tasks, the last changed first, of one codebase or of all, in some states or in any.",
    permission="tasks:read",
    arguments=ListTasks,
    result=Tasks,
    hints=LOOKS,
    run=find,
)
