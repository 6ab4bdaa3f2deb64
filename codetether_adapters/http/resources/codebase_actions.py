"""What is done with a codebase: prompt its agent, stop what runs there, mark it as watched."""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve, frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.bounds import within
from codetether_adapters.http.resources.codebases import HELD, known, view_of
from codetether_adapters.http.resources.request_headers import SUBMIT_KEY
from codetether_adapters.http.resources.task_bodies import TaskBody, TriggerBody
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.errors import Invalid
from codetether_core.ids import CodebaseId
from codetether_core.ports import SessionQuery, TaskQuery
from codetether_core.services import Services
from codetether_core.tasks import ANYWHERE, Task, TaskState

__all__ = ["ROUTES", "MessageBody", "WatchBody"]

_TAG: Final = "codebases"
_PAGE: Final = 500


@frozen(kw_only=True)
class MessageBody:
    """Words for the codebase's agent."""

    message: str
    agent: str = "build"
    model: str | None = None


@frozen(kw_only=True)
class WatchBody:
    """How often to look, in seconds."""

    interval: int = 5


async def trigger(call: Call) -> Response:
    """A prompt for the codebase's agent."""
    body = await call.body(TriggerBody)
    key = call.headers.get("idempotency-key") or ""
    task = await call.services.submission.submit(call.principal, body.spec(call.path["id"]), key=key)
    await _note_trigger(call, task)
    return Json(_queued(call, task, body.agent, session=task.id))


async def message(call: Call) -> Response:
    """Words for the codebase's agent: a task that goes on with its latest session, or begins one."""
    body = await call.body(MessageBody)
    if not body.message:
        raise Invalid("message", "must not be empty")
    services: Services = call.services
    id = CodebaseId(call.path["id"])
    sessions, _ = await services.conversation.find(call.principal, SessionQuery(codebase=id, limit=1))
    if sessions:
        task = await services.conversation.resume(
            call.principal, id, sessions[0].id, prompt=body.message, agent=body.agent, model=body.model
        )
    else:
        spec = TaskBody(prompt=body.message, agent_type=body.agent, model=body.model).spec(id)
        task = await services.submission.submit(call.principal, spec)
    await _note_trigger(call, task)
    return Json(_queued(call, task, body.agent, session=sessions[0].id if sessions else None))


async def stop(call: Call) -> Response:
    """Cancel what runs on the codebase."""
    stopped = await call.services.submission.stop(call.principal, CodebaseId(call.path["id"]))
    return Json({"success": True, "cancelled": [task.id for task in stopped]})


async def start_watch(call: Call) -> Response:
    """Mark the codebase as watched."""
    interval = within("interval", (await call.body(WatchBody)).interval, 1, 86_400)
    await _change(call, watching=True, watch_interval=interval)
    return Json({"success": True, "message": "Watch mode started", "interval": interval})


async def stop_watch(call: Call) -> Response:
    """Mark the codebase as no longer watched."""
    await _change(call, watching=False)
    return Json({"success": True, "message": "Watch mode stopped"})


async def show_watch(call: Call) -> Response:
    """Whether the codebase is watched, and how much waits and runs there."""
    codebase = await known(call)
    view = await view_of(call, codebase)
    return Json(
        {
            "codebase_id": codebase.id,
            "workspace_id": codebase.id,
            "name": codebase.name,
            "watch_mode": codebase.watching,
            "status": view["status"],
            "interval": codebase.watch_interval,
            "pending_tasks": await _count(call, codebase.id, frozenset({TaskState.PENDING})),
            "running_tasks": await _count(call, codebase.id, HELD),
        }
    )


async def _change(call: Call, **changes: Any) -> None:
    await call.services.registration.change_codebase(
        call.principal.tenant, CodebaseId(call.path["id"]), lambda codebase: evolve(codebase, **changes)
    )


async def _note_trigger(call: Call, task: Task) -> None:
    if task.spec.codebase not in ANYWHERE:
        await _change(call, last_triggered=task.created_at)


async def _count(call: Call, codebase: CodebaseId, states: frozenset[TaskState]) -> int:
    count = 0
    while True:
        query = TaskQuery(codebase=codebase, states=states, limit=_PAGE, after=count)
        page = await call.services.backend.tasks.list(call.principal.tenant, query)
        count += len(page)
        if len(page) < _PAGE:
            return count


def _queued(call: Call, task: Task, agent: str, *, session: str | None) -> dict[str, Any]:
    return {
        "success": True,
        "session_id": session,
        "task_id": task.id,
        "message": f"Task queued for worker (task: {task.id})",
        "codebase_id": task.spec.codebase,
        "workspace_id": task.spec.codebase,
        "agent": agent,
        "error": None,
    }


_ONE: Final = "/v1/agent/codebases/{id}"

ROUTES: Final = (
    Route(
        "POST",
        f"{_ONE}/trigger",
        trigger,
        "tasks:write",
        summary="Prompt a codebase's agent",
        headers=(SUBMIT_KEY,),
        answer=shapes.Queued,
        tag=_TAG,
        body=TriggerBody,
        errors=(404, 409),
    ),
    Route(
        "POST",
        f"{_ONE}/message",
        message,
        "tasks:write",
        summary="Go on with a codebase's latest session",
        answer=shapes.Queued,
        tag=_TAG,
        body=MessageBody,
        errors=(404,),
    ),
    Route(
        "POST",
        f"{_ONE}/interrupt",
        stop,
        "tasks:write",
        summary="Cancel what runs",
        answer=shapes.Cancelled,
        tag=_TAG,
        errors=(404,),
    ),
    Route(
        "POST",
        f"{_ONE}/stop",
        stop,
        "tasks:write",
        summary="Cancel what runs",
        answer=shapes.Cancelled,
        tag=_TAG,
        errors=(404,),
    ),
    Route(
        "POST",
        f"{_ONE}/watch/start",
        start_watch,
        "codebases:write",
        summary="Mark as watched",
        answer=shapes.WatchStarted,
        tag=_TAG,
        body=WatchBody,
        errors=(404,),
    ),
    Route(
        "POST",
        f"{_ONE}/watch/stop",
        stop_watch,
        "codebases:write",
        summary="Mark as not watched",
        answer=shapes.WatchStopped,
        tag=_TAG,
        errors=(404,),
    ),
    Route(
        "GET",
        f"{_ONE}/watch/status",
        show_watch,
        "codebases:read",
        summary="Whether it is watched",
        answer=shapes.Watch,
        tag=_TAG,
        errors=(404,),
    ),
)
