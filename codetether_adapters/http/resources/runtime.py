"""What deployed pages ask of "the runtime": the agent's own store on the server's disk.

Agents run elsewhere, so this is served from the sessions that workers synced, and a project is a codebase that has
some. Nothing here touches a file system; path parameters are ids in our store.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.bounds import within
from codetether_adapters.http.resources.found import found_session
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.codebases import Codebase
from codetether_core.ids import CodebaseId
from codetether_core.ports import SessionQuery
from codetether_core.sessions import Session, SessionMessage
from codetether_core.workers import Presence, presence

__all__ = ["ROUTES"]

_MOST_SKIPPED: Final = 10_000_000
_PAGE: Final = 200


@frozen
class ListSessions:
    """Sessions of one project (codebase), or of all."""

    project_id: str | None = None
    limit: int = 50
    offset: int = 0


@frozen
class ReadMessages:
    """A page of messages. Session ids are unique within a project; without one, the last updated is meant."""

    project_id: str | None = None
    limit: int = 50
    offset: int = 0


@frozen
class ReadParts:
    """Parts of all messages, or of one."""

    project_id: str | None = None
    message_id: str | None = None
    limit: int = 100


async def status(call: Call) -> Response:
    """Whether agents can run, and what there is."""
    services, tenant, now = call.services, call.principal.tenant, call.services.clock.now()
    workers = await services.backend.directory.workers.list(tenant)
    present = sum(presence(worker, now) is Presence.ACTIVE for worker in workers)
    codebases = len(await services.backend.codebases.list(tenant))
    return Json(
        {
            "available": present > 0,
            "message": f"{present} of {len(workers)} registered workers present",
            "opencode_binary": None,
            "agent_binary": None,
            "registered_codebases": codebases,
            "registered_workspaces": codebases,
            "auto_start": False,
            "runtime": await _runtime(call),
        }
    )


async def runtime_status(call: Call) -> Response:
    """Whether there is history to read."""
    runtime = await _runtime(call)
    message = "Served from what workers synced" if runtime["available"] else "No session has been synced yet"
    return Json({**runtime, "message": message})


async def projects(call: Call) -> Response:
    """The codebases that have sessions."""
    found = await _projects(call)
    return Json(
        {
            "projects": [
                {
                    "id": codebase.id,
                    "worktree": codebase.path,
                    "vcs": None,
                    "vcs_dir": None,
                    "created_at": codebase.registered_at,
                    "updated_at": latest.updated_at,
                    "session_count": count,
                }
                for codebase, latest, count in found
            ]
        }
    )


async def sessions(call: Call) -> Response:
    """A page of sessions, the last updated first."""
    query = call.query(ListSessions)
    wanted = SessionQuery(
        codebase=CodebaseId(query.project_id) if query.project_id else None,
        limit=within("limit", query.limit, 1, 500),
        after=within("offset", query.offset, 0, _MOST_SKIPPED),
    )
    found, total = await call.services.backend.sessions.list(call.principal.tenant, wanted)
    page = {"total": total, "limit": query.limit, "offset": query.offset}
    return Json({"sessions": [_session_view(session) for session in found], **page})


async def session(call: Call) -> Response:
    """One session."""
    query = call.query(ReadMessages)
    return Json({"session": _session_view(await found_session(call, call.path["id"], query.project_id))})


async def messages(call: Call) -> Response:
    """A page of a session's messages, without their parts."""
    query = call.query(ReadMessages)
    limit, offset = within("limit", query.limit, 1, 1000), within("offset", query.offset, 0, _MOST_SKIPPED)
    of = await found_session(call, call.path["id"], query.project_id)
    found, total = await call.services.conversation.messages(
        call.principal, of.codebase, of.id, limit=limit, after=offset
    )
    page = {"total": total, "limit": limit, "offset": offset, "session_id": of.id}
    return Json({"messages": [_message_view(message) for message in found], **page})


async def parts(call: Call) -> Response:
    """The first parts of a session's messages, as the agent made them."""
    query = call.query(ReadParts)
    limit = within("limit", query.limit, 1, 1000)
    of = await found_session(call, call.path["id"], query.project_id)
    found: list[Any] = []
    after, total = 0, 1
    while after < total and len(found) < limit:
        page, total = await call.services.conversation.messages(
            call.principal, of.codebase, of.id, limit=_PAGE, after=after
        )
        after += _PAGE
        for message in page:
            if query.message_id in (None, message.id):
                found += [_part_view(part, message) for part in message.parts]
    return Json({"parts": found[:limit], "session_id": of.id, "message_id": query.message_id})


async def _runtime(call: Call) -> dict[str, Any]:
    _, total = await call.services.backend.sessions.list(call.principal.tenant, SessionQuery(limit=1))
    count = len(await _projects(call))
    return {"available": total > 0, "storage_path": None, "projects": count, "sessions": total}


async def _projects(call: Call) -> list[tuple[Codebase, Session, int]]:
    """Each codebase that has sessions, the last updated of them, and how many there are."""
    found: list[tuple[Codebase, Session, int]] = []
    for codebase in await call.services.backend.codebases.list(call.principal.tenant):
        query = SessionQuery(codebase=codebase.id, limit=1)
        latest, count = await call.services.backend.sessions.list(call.principal.tenant, query)
        if latest:
            found.append((codebase, latest[0], count))
    return found


def _session_view(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "project_id": session.codebase,
        "directory": session.directory,
        "title": session.title,
        "version": session.details.get("version"),
        "created_at": session.created_at,
        "updated_at": session.updated_at,
        "summary": session.details.get("summary"),
    }


def _message_view(message: SessionMessage) -> dict[str, Any]:
    return {
        "id": message.id,
        "session_id": message.session,
        "role": message.role,
        "created_at": message.created_at,
        "model": message.model,
        "cost": message.cost,
        "tokens": message.tokens,
        "tool_calls": message.tool_calls,
    }


def _part_view(part: Any, message: SessionMessage) -> Any:
    return {**part, "message_id": message.id} if isinstance(part, dict) else part


_AT: Final = "/v1/agent/runtime"
ROUTES: Final = (
    Route(
        "GET",
        "/v1/agent/status",
        status,
        "sessions:read",
        summary="Whether agents can run",
        answer=shapes.AgentStatus,
        tag="runtime",
    ),
    Route(
        "GET",
        f"{_AT}/status",
        runtime_status,
        "sessions:read",
        summary="Whether there is history",
        answer=shapes.RuntimeStatus,
        tag="runtime",
    ),
    Route(
        "GET",
        f"{_AT}/projects",
        projects,
        "sessions:read",
        summary="Codebases with sessions",
        answer=shapes.RuntimeProjects,
        tag="runtime",
    ),
    Route(
        "GET",
        f"{_AT}/sessions",
        sessions,
        "sessions:read",
        summary="Sessions",
        answer=shapes.RuntimeSessions,
        tag="runtime",
        query=ListSessions,
    ),
    Route(
        "GET",
        f"{_AT}/sessions/{{id}}",
        session,
        "sessions:read",
        summary="One session",
        answer=shapes.RuntimeSessionAnswer,
        tag="runtime",
        query=ReadMessages,
        errors=(404,),
    ),
    Route(
        "GET",
        f"{_AT}/sessions/{{id}}/messages",
        messages,
        "sessions:read",
        summary="A session's messages",
        answer=shapes.RuntimeMessages,
        tag="runtime",
        query=ReadMessages,
        errors=(404,),
    ),
    Route(
        "GET",
        f"{_AT}/sessions/{{id}}/parts",
        parts,
        "sessions:read",
        summary="The parts of a session's messages",
        answer=shapes.RuntimeParts,
        tag="runtime",
        query=ReadParts,
        errors=(404,),
    ),
)
