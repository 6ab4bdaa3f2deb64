"""Codebases: registered by workers and people, listed, removed, and spoken to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import Factory, frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.views import codebase_view
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.codebases import Codebase
from codetether_core.errors import Invalid
from codetether_core.ids import CodebaseId, WorkerId
from codetether_core.ports import SessionQuery, TaskQuery
from codetether_core.services import Services
from codetether_core.tasks import Task, TaskState
from codetether_core.workers import Presence, presence

__all__ = ["HELD", "ROUTES", "CodebaseFilter", "RegisterBody", "known", "view_of"]

_TAG: Final = "codebases"
HELD: Final = frozenset({TaskState.RUNNING, TaskState.INPUT_REQUIRED})
_PAGE: Final = 500


@frozen(kw_only=True)
class RegisterBody:
    """A codebase, and the worker that has it (if one registers it)."""

    name: str
    path: str
    description: str = ""
    agent_config: Mapping[str, Any] = Factory(dict)
    worker_id: str | None = None


@frozen(kw_only=True)
class CodebaseFilter:
    """Which codebases to list; of those with one path only one is shown, unless duplicates are asked for."""

    path: str | None = None
    include_duplicates: bool = False


async def register(call: Call) -> Response:
    """A codebase, new or known."""
    body = await call.body(RegisterBody)
    for field, value in (("name", body.name), ("path", body.path)):
        if not value:
            raise Invalid(field, "must not be empty")
    codebase = await call.services.registration.add_codebase(
        call.principal,
        name=body.name,
        path=body.path,
        description=body.description,
        agent_config=body.agent_config,
        worker=WorkerId(body.worker_id) if body.worker_id else None,
    )
    return Json({"success": True, "id": codebase.id, **_wrapped(call, await view_of(call, codebase))})


async def find(call: Call) -> Response:
    """Codebases, one for each path."""
    asked = call.query(CodebaseFilter)
    services: Services = call.services
    found = await services.backend.codebases.list(call.principal.tenant)
    if asked.path is not None:
        found = [each for each in found if each.path.rstrip("/") == asked.path.rstrip("/")]
    present, busy = await _present(call), await _busy(call)
    views = [codebase_view(each, present=present, busy=each.id in busy) for each in found]
    return Json(views if asked.include_duplicates else _deduplicated(views))


async def show(call: Call) -> Response:
    """One codebase."""
    return Json(await view_of(call, await known(call)))


async def remove(call: Call) -> Response:
    """Forget a codebase; its tasks stay."""
    await call.services.registration.remove_codebase(call.principal, CodebaseId(call.path["id"]))
    return Json({"success": True})


async def known(call: Call) -> Codebase:
    """The codebase of the path; ``NotFound``."""
    codebase: Codebase = await call.services.backend.codebases.get(call.principal.tenant, call.path["id"])
    return codebase


async def view_of(call: Call, codebase: Codebase) -> dict[str, Any]:
    """A codebase with what goes on there."""
    services: Services = call.services
    held = TaskQuery(codebase=codebase.id, states=HELD, limit=1)
    busy = await services.backend.tasks.list(call.principal.tenant, held)
    sessions, _ = await services.backend.sessions.list(
        call.principal.tenant, SessionQuery(codebase=codebase.id, limit=1)
    )
    return codebase_view(
        codebase,
        present=await _present(call),
        busy=bool(busy),
        session=sessions[0].id if sessions else None,
    )


async def _present(call: Call) -> frozenset[str]:
    """The workers that are there."""
    now = call.services.clock.now()
    workers = await call.services.backend.directory.workers.list(call.principal.tenant)
    return frozenset(each.id for each in workers if presence(each, now) is Presence.ACTIVE)


async def _busy(call: Call) -> frozenset[CodebaseId]:
    """The codebases on which something runs, as far as one page of tasks tells."""
    held = TaskQuery(states=HELD, limit=_PAGE)
    tasks: Sequence[Task] = await call.services.backend.tasks.list(call.principal.tenant, held)
    return frozenset(task.spec.codebase for task in tasks)


def _deduplicated(views: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One for each path, whose worker is there if any is; what else has the path is in its ``aliases``."""
    by_path: dict[str, list[dict[str, Any]]] = {}
    for view in views:
        by_path.setdefault(view["path"], []).append(view)
    found = []
    for same in by_path.values():
        first, *others = sorted(same, key=lambda view: (not view["available"], view["worker_id"] is None))
        if others:
            first |= {"aliases": [view["name"] for view in others], "duplicate_count": len(others)}
            first["alias_ids"] = [view["id"] for view in others]
        found.append(first)
    return found


def _wrapped(call: Call, view: dict[str, Any]) -> dict[str, Any]:
    return {"codebase": view, "workspace": view} if call.alias == "workspaces" else {"codebase": view}


_C: Final = "/v1/agent/codebases"
_ONE: Final = f"{_C}/{{id}}"

ROUTES: Final = (
    Route(
        "POST",
        _C,
        register,
        "codebases:register",
        summary="Register a codebase",
        answer=shapes.CodebaseAnswer,
        tag=_TAG,
        body=RegisterBody,
    ),
    Route(
        "GET",
        _C,
        find,
        "codebases:read",
        summary="List codebases",
        answer=list[shapes.Codebase],
        tag=_TAG,
        query=CodebaseFilter,
    ),
    Route(
        "GET",
        f"{_C}/list",
        find,
        "codebases:read",
        summary="List codebases",
        answer=list[shapes.Codebase],
        tag=_TAG,
        query=CodebaseFilter,
    ),
    Route(
        "GET", _ONE, show, "codebases:read", summary="Show a codebase", answer=shapes.Codebase, tag=_TAG, errors=(404,)
    ),
    Route(
        "DELETE",
        _ONE,
        remove,
        "codebases:write",
        summary="Forget a codebase",
        answer=shapes.Done,
        tag=_TAG,
        errors=(404, 409),
    ),
    Route(
        "GET",
        f"{_ONE}/status",
        show,
        "codebases:read",
        summary="Show a codebase",
        answer=shapes.Codebase,
        tag=_TAG,
        errors=(404,),
    ),
)
