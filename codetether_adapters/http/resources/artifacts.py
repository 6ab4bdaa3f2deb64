"""The files that a task's runs leave."""

from __future__ import annotations

from contextlib import aclosing
from datetime import timedelta
from typing import Any, Final

from starlette.responses import Response
from starlette.types import ASGIApp

from codetether_adapters.http.call import Call
from codetether_adapters.http.files import FileAnswer
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.request_headers import HOLDER
from codetether_adapters.http.resources.views import artifact_view, moment_view
from codetether_adapters.http.resources.words import Speaker, word_of
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Header, Route
from codetether_core.artifacts import Artifact
from codetether_core.ids import TaskId
from codetether_core.services import Services
from codetether_core.tasks import artifact_of

__all__ = ["ROUTES"]

_LENT: Final = timedelta(minutes=15)
"""For how long an address is given out where files can be read without us."""


async def artifacts(call: Call) -> Response:
    """What there is."""
    task = await call.services.backend.tasks.get(call.principal.tenant, TaskId(call.path["id"]))
    return Json({"task_id": task.id, "artifacts": [await _listed(call, each) for each in task.artifacts]})


async def artifact(call: Call) -> ASGIApp:
    """The bytes of one."""
    attaching = call.services.attaching
    found = await attaching.find(call.principal, TaskId(call.path["id"]), call.path["name"])
    return FileAnswer(attaching.open(call.principal, found), found.name, found.media_type, found.size)


async def put_artifact(call: Call) -> Response:
    """The holder leaves a file, in place of one of that name; the body is its bytes."""
    name = call.path["name"]
    async with aclosing(call.file()) as data:
        task = await call.services.attaching.attach(
            call.principal.tenant,
            word_of(call),
            TaskId(call.path["id"]),
            name,
            call.headers.get("content-type") or "",
            data,
        )
    return Json({"success": True, "artifact": artifact_view(artifact_of(task, name))})


async def _listed(call: Call, found: Artifact) -> dict[str, Any]:
    services: Services = call.services
    url = await services.attaching.url(call.principal, found, _LENT)
    until = services.clock.now() + _LENT if url else None
    return {**artifact_view(found), "url": url, "url_expires_at": moment_view(until)}


_T: Final = "/v1/agent/tasks/{id}/artifacts"
_TAG: Final = "tasks"
_BYTES: Final = {"type": "string", "format": "binary"}

ROUTES: Final = (
    Route(
        "GET",
        _T,
        artifacts,
        "tasks:read",
        summary="Files that a task's runs left",
        answer=shapes.Artifacts,
        tag=_TAG,
        errors=(404,),
    ),
    Route(
        "GET",
        f"{_T}/{{name:path}}",
        artifact,
        "tasks:read",
        summary="Read a file",
        answer=_BYTES,
        media_type="*/*",
        tag=_TAG,
        errors=(404, 501),
    ),
    Route(
        "PUT",
        f"{_T}/{{name:path}}",
        put_artifact,
        "tasks:execute",
        summary="Leave a file",
        headers=(*HOLDER, Header("Content-Type", "The file's media type; any bytes, if it does not say.")),
        query=Speaker,
        answer=shapes.ArtifactAnswer,
        tag=_TAG,
        upload=True,
        errors=(404, 409, 501),
    ),
)
