"""The worker's words about leases: claim, renew, release, stopped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from attrs import asdict
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.outcomes import carry_out
from codetether_adapters.http.resources.request_headers import CLAIM_KEY, HOLDER, WORKER_ID
from codetether_adapters.http.resources.task_bodies import Claim, Release, StatusReport, TaskWord
from codetether_adapters.http.resources.views import approval_view, lease_view, moment_view, task_view
from codetether_adapters.http.resources.words import Speaker, word_of, worker_of
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.audit import Outcome
from codetether_core.ids import SessionId, TaskId
from codetether_core.secrets import HandedSecret
from codetether_core.services import Services
from codetether_core.tasks import Task

__all__ = ["ROUTES"]

_TAG: Final = "worker"


async def claim(call: Call) -> Response:
    """Grant a task to the worker, if it is still to be had."""
    body = await call.body(Claim)
    worker = worker_of(call, body.worker_id)
    key = call.headers.get("idempotency-key") or ""
    task = await call.services.claiming.claim(call.principal, worker, TaskId(body.task_id), tokened=body.lease, key=key)
    return Json(
        {
            "success": True,
            "task_id": task.id,
            "worker_id": worker,
            "message": "Task claimed successfully",
            "lease": _lease(call, task),
            "task": task_view(task),
            "answers": [approval_view(each) for each in await call.services.questions.answers(task)],
            "secrets": [asdict(each) for each in await _handed(call, task)] if body.lease else [],
            "tools_path": _tools_path(call, task) if body.lease else None,
        }
    )


async def renew(call: Call) -> Response:
    """The holder is still at it."""
    body = await call.body(TaskWord)
    task = await call.services.reporting.renew(
        call.principal.tenant,
        word_of(call, body.worker_id, body.lease_token),
        TaskId(body.task_id),
        session=SessionId(body.session_id) if body.session_id else None,
    )
    return Json(
        {
            "success": True,
            "task_id": task.id,
            "lease": _lease(call, task),
            "lease_expires_at": moment_view(task.grant.expires_at if task.grant else None),
            "status": task.state,
        }
    )


async def release(call: Call) -> Response:
    """The holder is done with the task, or gives it back; after an outcome this only tells what that was."""
    body = await call.body(Release)
    services: Services = call.services
    id = TaskId(body.task_id)
    word = word_of(call, body.worker_id, body.lease_token)
    task = await services.backend.tasks.get(call.principal.tenant, id)
    if body.status is not None and not task.ended:
        report = StatusReport(status=body.status, result=body.result, error=body.error, session_id=body.session_id)
        task = await carry_out(call, word, id, report)
    else:
        task = await services.reporting.release(call.principal.tenant, word, id)
    return Json(
        {
            "success": True,
            "task_id": task.id,
            "worker_id": word.worker,
            "status": task.state,
            "message": "Task released successfully",
        }
    )


async def stopped(call: Call) -> Response:
    """Nothing of a cancelled run is left."""
    body = await call.body(TaskWord)
    word = word_of(call, body.worker_id, body.lease_token)
    await call.services.reporting.stopped(call.principal.tenant, word, TaskId(body.task_id))
    return Json({"success": True})


async def _handed(call: Call, task: Task) -> Sequence[HandedSecret]:
    """The secrets that the run needs; that they were handed out is in the trail."""
    handed = await call.services.secret_keeping.handed(call.principal, task)
    if handed:
        await call.services.recording.record(
            task.tenant,
            call.request.act.actor,
            "secrets.handed",
            f"task/{task.id}",
            Outcome.SUCCESS,
            {"names": [each.name for each in handed]},
        )
    return handed


def _tools_path(call: Call, task: Task) -> str | None:
    """Where the run finds tools; the tenant is named because nobody is asked who it is."""
    return None if call.tools_at is None else f"{call.tools_at}/{quote(task.tenant, safe='')}/{task.id}"


def _lease(call: Call, task: Task) -> dict[str, Any] | None:
    return lease_view(task.grant, call.services.terms.ttl) if task.grant else None


_W: Final = "/v1/worker/tasks"
_ERRORS: Final = (404, 409)

ROUTES: Final = (
    Route(
        "POST",
        f"{_W}/claim",
        claim,
        "tasks:execute",
        summary="Claim a task",
        headers=(WORKER_ID, CLAIM_KEY),
        query=Speaker,
        answer=shapes.Claimed,
        tag=_TAG,
        body=Claim,
        errors=_ERRORS,
    ),
    Route(
        "POST",
        f"{_W}/renew",
        renew,
        "tasks:execute",
        summary="Renew a lease",
        headers=HOLDER,
        query=Speaker,
        answer=shapes.Renewed,
        tag=_TAG,
        body=TaskWord,
        errors=_ERRORS,
    ),
    Route(
        "POST",
        f"{_W}/heartbeat",
        renew,
        "tasks:execute",
        summary="Renew a lease, by its deployed name",
        headers=HOLDER,
        query=Speaker,
        answer=shapes.Renewed,
        tag=_TAG,
        body=TaskWord,
        errors=_ERRORS,
    ),
    Route(
        "POST",
        f"{_W}/release",
        release,
        "tasks:execute",
        summary="Give a task back, or report its outcome",
        headers=HOLDER,
        query=Speaker,
        answer=shapes.Released,
        tag=_TAG,
        body=Release,
        errors=_ERRORS,
    ),
    Route(
        "POST",
        f"{_W}/stopped",
        stopped,
        "tasks:execute",
        summary="Confirm that a cancelled run has stopped",
        headers=HOLDER,
        query=Speaker,
        answer=shapes.Done,
        tag=_TAG,
        body=TaskWord,
        errors=_ERRORS,
    ),
)
