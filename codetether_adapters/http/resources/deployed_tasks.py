"""Tasks as the deployed pages list, make and change them below ``/mcp/v1``: their words, our tasks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from attrs import frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources.task_bodies import TaskBody
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.errors import Invalid, NotFound
from codetether_core.ids import CodebaseId, TaskId
from codetether_core.ports import TaskOrder, TaskQuery
from codetether_core.services import OTHERS
from codetether_core.tasks import Task, TaskState

__all__ = ["ROUTES"]

_AT: Final = "/mcp/v1/tasks"
_PAGE: Final = 100
_WORDS: Final[Mapping[TaskState, str]] = {TaskState.RUNNING: "working", TaskState.INPUT_REQUIRED: "working"}


@frozen(kw_only=True)
class PageTaskFilter:
    """Which tasks; ``working`` are those that somebody holds."""

    status: str | None = None
    codebase_id: str | None = None


@frozen(kw_only=True)
class PageTaskBody:
    """What is to be done; without a description the title says it."""

    title: str
    description: str = ""
    codebase_id: str | None = None
    agent_type: str = "build"
    model: str | None = None
    priority: int = 0


@frozen(kw_only=True)
class PageTaskChange:
    """``pending`` puts it back, ``cancelled`` ends it; the rest is its worker's to say."""

    status: str


@frozen(kw_only=True)
class PageTask:
    """A task, in the deployed words."""

    task_id: str
    id: str
    title: str
    description: str
    status: str
    created_at: datetime
    updated_at: datetime


@frozen(kw_only=True)
class PageTaskDetails(PageTask):
    """With what came of it."""

    codebase_id: str
    agent_type: str
    priority: int
    started_at: datetime | None
    completed_at: datetime | None
    result: str | None
    error: str | None


@frozen(kw_only=True)
class PageTasks:
    """The latest hundred that match."""

    tasks: tuple[PageTask, ...]
    count: int


@frozen(kw_only=True)
class PageTaskChanged:
    """The task as it is now."""

    success: bool
    task_id: str
    status: str
    task: PageTaskDetails


def _word(task: Task) -> str:
    return _WORDS.get(task.state, task.state.value)


def _row(task: Task) -> dict[str, Any]:
    return {
        "task_id": task.id,
        "id": task.id,
        "title": task.spec.title,
        "description": task.spec.prompt,
        "status": _word(task),
        "created_at": task.created_at,
        "updated_at": task.updated_at,
    }


def _alone(task: Task) -> dict[str, Any]:
    return {
        **_row(task),
        "codebase_id": task.spec.codebase,
        "agent_type": task.spec.agent_type,
        "priority": task.spec.priority,
        "started_at": task.started_at,
        "completed_at": task.ended_at,
        "result": task.result,
        "error": task.error,
    }


def _done(task: Task) -> Response:
    return Json({"success": True, "task_id": task.id, "status": _word(task), "task": _alone(task)})


async def find(call: Call) -> Response:
    """The latest of those that the caller may see."""
    asked = call.query(PageTaskFilter)
    reach = await call.services.ownership.reach(call.principal, OTHERS)
    query = TaskQuery(
        states=_states(asked.status) if asked.status else None,
        codebase=CodebaseId(asked.codebase_id) if asked.codebase_id else None,
        created_by=None if reach.everybody else reach.name,
        order=TaskOrder.NEWEST,
        limit=_PAGE,
    )
    tasks = await call.services.backend.tasks.list(call.principal.tenant, query)
    return Json({"tasks": [_row(task) for task in tasks], "count": len(tasks)})


async def create(call: Call) -> Response:
    """A new one."""
    asked = await call.body(PageTaskBody)
    if not asked.title:
        raise Invalid("title", "must not be empty")
    body = TaskBody(
        prompt=asked.description or asked.title,
        title=asked.title,
        codebase_id=asked.codebase_id,
        agent_type=asked.agent_type,
        model=asked.model,
        priority=asked.priority,
    )
    return _done(await call.services.submission.submit(call.principal, body.spec()))


async def show(call: Call) -> Response:
    """One."""
    return Json(_alone(await _task(call)))


async def change(call: Call) -> Response:
    """Put it back, or end it."""
    asked, submission = await call.body(PageTaskChange), call.services.submission
    match asked.status:
        case "pending":
            return _done(await submission.requeue(call.principal, (await _task(call)).id))
        case "cancelled" | "canceled":
            return _done(await submission.cancel(call.principal, (await _task(call)).id))
    raise Invalid("status", "must be one of: pending, cancelled", hint="the rest is for its worker to say")


def _states(word: str) -> frozenset[TaskState]:
    states = frozenset(state for state in TaskState if word in (state.value, _WORDS.get(state)))
    if not states:
        raise Invalid("status", "must be one of: pending, working, completed, failed, cancelled")
    return states


async def _task(call: Call) -> Task:
    """A task of the caller's; ``NotFound`` also for one that it may not know of."""
    task = await call.services.backend.tasks.get(call.principal.tenant, TaskId(call.path["id"]))
    if not (await call.services.ownership.reach(call.principal, OTHERS)).covers(task.created_by):
        raise NotFound("task", call.path["id"])
    return task


ROUTES: Final = (
    Route("GET", _AT, find, "tasks:read", summary="List tasks", tag="mcp", query=PageTaskFilter, answer=PageTasks),
    Route(
        "POST",
        _AT,
        create,
        "tasks:write",
        summary="Submit a task",
        tag="mcp",
        body=PageTaskBody,
        answer=PageTaskChanged,
        errors=(404, 409),
    ),
    Route("GET", f"{_AT}/{{id}}", show, "tasks:read", summary="Show a task", tag="mcp", answer=PageTaskDetails),
    Route(
        "PUT",
        f"{_AT}/{{id}}",
        change,
        "tasks:write",
        summary="Put a task back, or end it",
        tag="mcp",
        body=PageTaskChange,
        answer=PageTaskChanged,
        errors=(404, 409),
    ),
)
