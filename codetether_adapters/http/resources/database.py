"""What is stored, counted and listed for a dashboard. The store's address is not told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from attrs import frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.bounds import within
from codetether_adapters.http.resources.sessions import session_view
from codetether_adapters.http.resources.views import codebase_view
from codetether_adapters.http.resources.workers import worker_view
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.errors import Unavailable
from codetether_core.ports import SessionQuery
from codetether_core.workers import Presence, presence

__all__ = ["ROUTES"]

T = TypeVar("T")
_MOST_SKIPPED: Final = 10_000_000


@frozen
class Paged:
    """A page; everything, if no limit is given."""

    limit: int | None = None
    offset: int = 0

    def of(self, everything: Sequence[T]) -> dict[str, Any]:
        """The page's place, and its values under ``found``."""
        offset = within("offset", self.offset, 0, _MOST_SKIPPED)
        limit = len(everything) if self.limit is None else within("limit", self.limit, 1, 1000)
        return {
            "found": everything[offset : offset + limit],
            "total": len(everything),
            "limit": limit,
            "offset": offset,
        }


@frozen
class PagedSessions:
    """A page of sessions, the last updated first."""

    limit: int = 50
    offset: int = 0


async def status(call: Call) -> Response:
    """Whether the store answers, and how much it holds."""
    backend, tenant = call.services.backend, call.principal.tenant
    try:
        await backend.ping()
    except Unavailable as error:
        return Json({"available": False, "message": error.message, "stats": None, "pool_size": None, "pool_idle": None})
    _, sessions = await backend.sessions.list(tenant, SessionQuery(limit=1))
    stats = {
        "workers": len(await backend.directory.workers.list(tenant)),
        "codebases": len(await backend.codebases.list(tenant)),
        "tasks": sum((await backend.tasks.count(tenant)).values()),
        "sessions": sessions,
    }
    return Json(
        {"available": True, "message": "The store answers", "stats": stats, "pool_size": None, "pool_idle": None}
    )


async def sessions(call: Call) -> Response:
    """Sessions of all codebases."""
    query = call.query(PagedSessions)
    limit, offset = within("limit", query.limit, 1, 1000), within("offset", query.offset, 0, _MOST_SKIPPED)
    found, total = await call.services.backend.sessions.list(
        call.principal.tenant, SessionQuery(limit=limit, after=offset)
    )
    page = {"total": total, "limit": limit, "offset": offset, "source": "database"}
    return Json({"sessions": [session_view(session) for session in found], **page})


async def codebases(call: Call) -> Response:
    """All codebases, under both of their names."""
    tenant, now = call.principal.tenant, call.services.clock.now()
    page = call.query(Paged).of(await call.services.backend.codebases.list(tenant))
    workers = await call.services.backend.directory.workers.list(tenant)
    present = {worker.id for worker in workers if presence(worker, now) is Presence.ACTIVE}
    views = [codebase_view(codebase, present=present) for codebase in page.pop("found")]
    return Json({"codebases": views, "workspaces": views, **page, "source": "database"})


async def workers(call: Call) -> Response:
    """All workers, those long gone too."""
    now = call.services.clock.now()
    page = call.query(Paged).of(await call.services.backend.directory.workers.list(call.principal.tenant))
    views = [worker_view(worker, now) for worker in page.pop("found")]
    return Json({"workers": views, **page, "source": "database"})


_AT: Final = "/v1/agent/database"
ROUTES: Final = (
    Route(
        "GET", f"{_AT}/status", status, "database:read", summary="The store", answer=shapes.StoreStatus, tag="database"
    ),
    Route(
        "GET",
        f"{_AT}/sessions",
        sessions,
        "database:read",
        summary="Sessions",
        answer=shapes.StoredSessions,
        tag="database",
        query=PagedSessions,
    ),
    Route(
        "GET",
        f"{_AT}/codebases",
        codebases,
        "database:read",
        summary="Codebases",
        answer=shapes.StoredCodebases,
        tag="database",
        query=Paged,
    ),
    Route(
        "GET",
        f"{_AT}/workspaces",
        codebases,
        "database:read",
        summary="Codebases",
        answer=shapes.StoredCodebases,
        tag="database",
        query=Paged,
    ),
    Route(
        "GET",
        f"{_AT}/workers",
        workers,
        "database:read",
        summary="Workers",
        answer=shapes.StoredWorkers,
        tag="database",
        query=Paged,
    ),
)
