"""What the reaper sees and does, for who looks after the installation."""

from __future__ import annotations

from typing import Any, Final

import attrs
from attrs import frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.bounds import seconds
from codetether_adapters.http.resources.task_lists import Rows
from codetether_adapters.http.resources.views import moment_view
from codetether_adapters.http.responses import Encoded, Json, encode_json
from codetether_adapters.http.routing import Route
from codetether_core.tasks import TaskSpec

__all__ = ["ROUTES"]

_P: Final = "/v1/agent"
_TAG: Final = "tasks"
_DEFAULT_TIMEOUT: Final = 300.0


@frozen
class Timeout:
    """After how much silence a run counts as stuck."""

    timeout_seconds: float = _DEFAULT_TIMEOUT


async def stuck(call: Call) -> Response:
    """Running tasks whose holders are silent."""
    asked = call.query(Timeout).timeout_seconds
    timeout = seconds("timeout_seconds", asked, 0.0, 366 * 86_400.0)
    tasks = await call.services.maintenance.silent(call.principal.tenant, timeout)
    rows = Rows()
    rows.add(tasks)
    head = encode_json({"timeout_seconds": asked, "count": len(tasks)})
    return Encoded(b'%b,"tasks":%b}' % (head[:-1], rows.body))


async def recover(call: Call) -> Response:
    """Let the reaper look now."""
    sweep = await call.services.maintenance.sweep()
    stats: dict[str, Any] = {
        "checked_at": moment_view(sweep.at),
        "tasks_checked": sweep.checked,
        "tasks_requeued": sweep.lapsed,
        "tasks_failed": sweep.failed,
        "tasks_notified": sweep.lapsed + sweep.woken,
        "errors": [],
    }
    return Json({"success": True, "stats": stats})


async def reaper(call: Call) -> Response:
    """Whether the reaper is at work, and what this server last collected."""
    maintenance, collected = call.services.maintenance, call.services.collecting.last
    return Json(
        {
            "status": "healthy" if maintenance.alive else "stopped",
            "running": maintenance.alive,
            "stuck_timeout_seconds": call.services.terms.ttl.total_seconds(),
            "interval_seconds": maintenance.interval.total_seconds(),
            "max_attempts": attrs.fields(TaskSpec).max_attempts.default,
            "last_run": moment_view(maintenance.last.at),
            "last_collection": moment_view(collected.at),
            "blobs_collected": collected.blobs,
            "tenants_not_collected": collected.failed,
        }
    )


ROUTES: Final = (
    Route(
        "GET",
        f"{_P}/tasks/stuck",
        stuck,
        "tasks:read",
        summary="List silent runs",
        answer=shapes.StuckTasks,
        tag=_TAG,
        query=Timeout,
    ),
    Route(
        "POST",
        f"{_P}/tasks/stuck/recover",
        recover,
        "tasks:write",
        summary="Let the reaper look now",
        answer=shapes.Recovered,
        tag=_TAG,
    ),
    Route(
        "GET",
        f"{_P}/reaper/health",
        reaper,
        "tasks:read",
        summary="Whether the reaper is at work",
        answer=shapes.Reaper,
        tag=_TAG,
    ),
)
