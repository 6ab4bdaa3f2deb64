"""A status word, carried out: what ``PUT status`` and ``release`` have in common."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources.task_bodies import StatusReport
from codetether_adapters.http.resources.tasks import state_of
from codetether_core.errors import Invalid, StaleLease
from codetether_core.ids import SessionId, TaskId
from codetether_core.services import Services
from codetether_core.tasks import Task, TaskState, Word

__all__ = ["carry_out"]

_KILLED: Final = frozenset({"Exit code: -15", "Task was cancelled"})
"""What a deployed worker calls the failure of a run that it ended itself, because it was told to leave."""


async def carry_out(call: Call, word: Word, id: TaskId, report: StatusReport) -> Task:
    """The task after the report; ``Invalid`` for a status that nobody can report."""
    services: Services = call.services
    reporting, tenant = services.reporting, call.principal.tenant
    state = state_of(report.status, TaskState)
    session = SessionId(report.session_id) if report.session_id else None
    chunks = [each.chunk() for each in report.outputs]
    if session and state in (TaskState.COMPLETED, TaskState.FAILED):
        with suppress(StaleLease):  # then the outcome is refused too, or was said before
            await reporting.renew(tenant, word, id, session=session)
    match state:
        case TaskState.RUNNING:
            return await reporting.start(call.principal, word, id, session=session, tokened=report.lease)
        case TaskState.COMPLETED:
            return await reporting.complete(
                tenant, word, id, report.result, reason=report.reason, chunks=chunks, first=report.first
            )
        case TaskState.FAILED:
            killed = word.token is None and report.error in _KILLED
            return await reporting.fail(
                tenant,
                word,
                id,
                report.error or "The agent failed",
                reason=report.reason or ("worker_left" if killed else "agent_failed"),
                retry=report.retry or killed,
                chunks=chunks,
                first=report.first,
            )
        case TaskState.PENDING:
            return await reporting.release(tenant, word, id)
        case TaskState.CANCELLED:
            return await reporting.stopped(tenant, word, id)
        case TaskState.INPUT_REQUIRED:
            raise Invalid("status", "input_required comes of asking", hint="POST /v1/agent/tasks/{id}/ask")
