"""Workers: whether they are still there, and what they hold."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from attrs import frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.bounds import within
from codetether_adapters.http.resources.found import found_session
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.errors import NotFound
from codetether_core.ids import WorkerId
from codetether_core.workers import Presence, Worker, presence

__all__ = ["ROUTES", "listed", "worker_view"]

_MOST_HOURS: Final = 24 * 366


@frozen
class Beat:
    """Newer workers tell more than we need."""

    status: str | None = None


@frozen
class ListWorkers:
    """``search`` looks at names, hosts and capabilities; those silent for longer than that many hours are left out."""

    search: str = ""
    online_only: bool = False
    exclude_offline_hours: float = 24.0  # 0 leaves out nobody


@frozen
class InCodebase:
    """Session ids are unique within a codebase; without one, the last updated of that id is meant."""

    codebase_id: str | None = None
    workspace_id: str | None = None


def worker_view(worker: Worker, now: datetime) -> dict[str, Any]:
    """A worker as JSON; ``status`` is ``active``, ``absent`` or ``left``."""
    there = presence(worker, now)
    return {
        "worker_id": worker.id,
        "name": worker.name,
        "hostname": worker.hostname,
        "capabilities": worker.capabilities,
        "agents": worker.agents,
        "models": worker.models,
        "codebases": worker.codebases,
        "workspaces": worker.codebases,
        "global_codebase_id": worker.global_codebase,
        "global_workspace_id": worker.global_codebase,
        "slots": worker.slots,
        "registered_at": worker.registered_at,
        "last_seen": worker.last_seen,
        "left_at": worker.left_at,
        "status": there,
        "online": there is Presence.ACTIVE,
    }


async def beat(call: Call) -> Response:
    """Note that it is there, which renews what it holds without a token."""
    await call.body(Beat)
    worker = await call.services.registration.greet_worker(call.principal, WorkerId(call.path["id"]))
    await call.services.reporting.attend(call.principal, worker.id)
    return Json({"success": True, "worker_id": worker.id, "last_seen": worker.last_seen})


async def unregister(call: Call) -> Response:
    """It signs off, and gives back what it holds without a token: a deployed worker has killed those runs."""
    worker = await call.services.registration.dismiss_worker(call.principal, WorkerId(call.path["id"]))
    await call.services.reporting.sign_off(call.principal, worker.id)
    return Json({"success": True, "message": "Worker unregistered", "worker_id": worker.id})


async def listed(call: Call) -> Response:
    """Workers, those long gone left out."""
    query = call.query(ListWorkers)
    now, wanted = call.services.clock.now(), query.search.casefold()
    silent = timedelta(hours=within("exclude_offline_hours", query.exclude_offline_hours, 0, _MOST_HOURS))
    return Json(
        [
            worker_view(worker, now)
            for worker in await call.services.backend.directory.workers.list(call.principal.tenant)
            if (not silent or now - worker.last_seen < silent)
            and (not query.online_only or presence(worker, now) is Presence.ACTIVE)
            and any(wanted in text.casefold() for text in _searched(worker))
        ]
    )


async def show(call: Call) -> Response:
    """One worker, and what it holds."""
    worker = await call.services.backend.directory.workers.get(call.principal.tenant, call.path["id"])
    return Json(worker_view(worker, call.services.clock.now()) | {"current_tasks": await _holds(call, worker)})


async def of_session(call: Call) -> Response:
    """Whether the worker that told a session is there to go on with it."""
    query = call.query(InCodebase)
    session = await found_session(call, call.path["id"], query.codebase_id or query.workspace_id)
    answer: dict[str, Any] = {
        "session_id": session.id,
        "codebase_id": session.codebase,
        "workspace_id": session.codebase,
        "worker_id": session.worker,
        "status": None,
        "online": False,
        "last_seen": None,
        "current_tasks": [],
    }
    if session.worker:
        try:
            worker = await call.services.backend.directory.workers.get(call.principal.tenant, session.worker)
        except NotFound:
            return Json(answer)
        seen = worker_view(worker, call.services.clock.now())
        answer |= {name: seen[name] for name in ("status", "online", "last_seen")}
        answer["current_tasks"] = await _holds(call, worker)
    return Json(answer)


async def _holds(call: Call, worker: Worker) -> list[str]:
    return [task.id for task in await call.services.backend.tasks.held(worker.tenant, worker.id)]


def _searched(worker: Worker) -> tuple[str, ...]:
    return (worker.name, worker.id, worker.hostname, *worker.capabilities)


ROUTES: Final = (
    Route(
        "POST",
        "/v1/agent/workers/{id}/heartbeat",
        beat,
        "workers:write",
        summary="Beat",
        answer=shapes.WorkerBeat,
        tag="workers",
        body=Beat,
        errors=(404,),
    ),
    Route(
        "POST",
        "/v1/agent/workers/{id}/unregister",
        unregister,
        "workers:write",
        summary="Sign off",
        answer=shapes.SignedOff,
        tag="workers",
        errors=(404,),
    ),
    Route(
        "GET",
        "/v1/agent/workers",
        listed,
        "workers:read",
        summary="Workers",
        answer=list[shapes.Worker],
        tag="workers",
        query=ListWorkers,
    ),
    Route(
        "GET",
        "/v1/agent/workers/{id}",
        show,
        "workers:read",
        summary="One worker",
        answer=shapes.WorkerHolding,
        tag="workers",
        errors=(404,),
    ),
    Route(
        "GET",
        "/v1/agent/sessions/{id}/worker-status",
        of_session,
        "sessions:read",
        summary="Whether a session's worker is there",
        answer=shapes.SessionWorker,
        tag="sessions",
        query=InCodebase,
        errors=(404,),
    ),
)
