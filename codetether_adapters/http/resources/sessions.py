"""Sessions: readable when no worker is there, and resumed as tasks. Their ids are unique within a codebase only."""

from __future__ import annotations

from typing import Any, Final

from attrs import frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.bounds import within
from codetether_adapters.http.resources.request_headers import SUBMIT_KEY
from codetether_adapters.http.resources.task_bodies import model_of
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.errors import NotFound
from codetether_core.ids import CodebaseId, SessionId
from codetether_core.ports import SessionQuery
from codetether_core.sessions import Session, SessionMessage

__all__ = ["ROUTES", "message_view", "session_view"]

_MOST_SKIPPED: Final = 10_000_000
_AT: Final = "/v1/agent/codebases/{id}/sessions"


@frozen
class ListSessions:
    """``q`` must occur in the title."""

    limit: int = 50
    offset: int = 0
    q: str = ""


@frozen
class ReadMessages:
    """Without an offset the last ``limit`` messages, oldest first."""

    limit: int = 100
    offset: int | None = None


@frozen
class ReadLatest:
    """How many messages of the codebase's last session."""

    limit: int = 50


@frozen
class ResumeSession:
    """What to say next, and to whom."""

    prompt: str | None = None
    agent: str = "build"
    model: str | None = None
    model_ref: str | None = None


def session_view(session: Session) -> dict[str, Any]:
    """A session as JSON, by the deployed names and ours."""
    return {
        "messageCount": None,
        "summary": None,
        "version": None,
        **session.details,
        "id": session.id,
        "codebase_id": session.codebase,
        "workspace_id": session.codebase,
        "title": session.title,
        "directory": session.directory,
        "project_id": session.project,
        "agent": session.agent,
        "worker_id": session.worker,
        "source": session.source,
        "created": session.created_at,
        "updated": session.updated_at,
        "created_at": session.created_at,
        "updated_at": session.updated_at,
        "synced_at": session.synced_at,
    }


def message_view(message: SessionMessage) -> dict[str, Any]:
    """A session's message as JSON, by the deployed names and ours."""
    return {
        "id": message.id,
        "sessionID": message.session,
        "session_id": message.session,
        "role": message.role,
        "time": {"created": message.created_at},
        "created_at": message.created_at,
        "agent": message.agent,
        "model": message.model,
        "cost": message.cost,
        "tokens": message.tokens,
        "tool_calls": message.tool_calls,
        "parts": message.parts,
    }


async def listed(call: Call) -> Response:
    """A page of a codebase's sessions, the last updated first."""
    query = call.query(ListSessions)
    limit, offset = within("limit", query.limit, 1, 200), within("offset", query.offset, 0, _MOST_SKIPPED)
    wanted = SessionQuery(codebase=_codebase(call), text=query.q, limit=limit, after=offset)
    sessions, total = await call.services.conversation.find(call.principal, wanted)
    return Json(
        {
            "sessions": [session_view(session) for session in sessions],
            "total": total,
            "limit": limit,
            "offset": offset,
            "hasMore": offset + len(sessions) < total,
            "source": sessions[0].source if sessions else "database",
            "synced_at": max((session.synced_at for session in sessions), default=None),
        }
    )


async def show(call: Call) -> Response:
    """One session."""
    return Json(session_view(await call.services.conversation.get(call.principal, _codebase(call), _session(call))))


async def messages(call: Call) -> Response:
    """A session's messages; none for one that nobody told."""
    query = call.query(ReadMessages)
    return Json(await _messages(call, _session(call), within("limit", query.limit, 1, 1000), query.offset))


async def latest_messages(call: Call) -> Response:
    """The messages of the codebase's last session."""
    limit = within("limit", call.query(ReadLatest).limit, 1, 1000)
    latest, _ = await call.services.conversation.find(call.principal, SessionQuery(codebase=_codebase(call), limit=1))
    if not latest:
        page = {"total": 0, "limit": limit, "offset": 0, "source": "database", "synced_at": None}
        return Json({"messages": [], "session_id": None, **page})
    return Json(await _messages(call, latest[0].id, limit, None))


async def resume(call: Call) -> Response:
    """Go on with a session, as a task."""
    asked, id = await call.body(ResumeSession), _session(call)
    task = await call.services.conversation.resume(
        call.principal,
        _codebase(call),
        id,
        prompt=asked.prompt or "",
        agent=asked.agent or "build",
        model=model_of(asked.model, asked.model_ref),
        key=call.headers.get("idempotency-key") or "",
    )
    return Json(
        {
            "success": True,
            "message": f"Task queued for worker (task: {task.id})",
            "task_id": task.id,
            "session_id": id,
            "active_session_id": id,
        }
    )


async def erase(call: Call) -> Response:
    """Erase a session, its messages, and all tasks that ran in it: from then on they are not found.

    No worker brings it back, however often it tells of it.
    """
    tasks = await call.services.erasing.session(call.principal, _codebase(call), _session(call))
    return Json({"success": True, "message": "Session erased", "session_id": _session(call), "tasks_erased": tasks})


async def _messages(call: Call, id: SessionId, limit: int, offset: int | None) -> dict[str, Any]:
    conversation, codebase = call.services.conversation, _codebase(call)
    if offset is None:
        _, total = await conversation.messages(call.principal, codebase, id, limit=1)
        offset = max(total - limit, 0)
    within("offset", offset, 0, _MOST_SKIPPED)
    found, total = await conversation.messages(call.principal, codebase, id, limit=limit, after=offset)
    try:
        session: Session | None = await conversation.get(call.principal, codebase, id)
    except NotFound:
        session = None
    return {
        "messages": [message_view(message) for message in found],
        "session_id": id,
        "total": total,
        "limit": limit,
        "offset": offset,
        "source": session.source if session else "database",
        "synced_at": session.synced_at if session else None,
    }


def _codebase(call: Call) -> CodebaseId:
    return CodebaseId(call.path["id"])


def _session(call: Call) -> SessionId:
    return SessionId(call.path["sid"])


ROUTES: Final = (
    Route(
        "GET",
        _AT,
        listed,
        "sessions:read",
        summary="Sessions",
        answer=shapes.SessionPage,
        tag="sessions",
        query=ListSessions,
        errors=(404, 501),
    ),
    Route(
        "GET",
        f"{_AT}/{{sid}}",
        show,
        "sessions:read",
        summary="One session",
        answer=shapes.Session,
        tag="sessions",
        errors=(404,),
    ),
    Route(
        "DELETE",
        f"{_AT}/{{sid}}",
        erase,
        "sessions:delete",
        summary="Erase a session and its tasks",
        answer=shapes.SessionErased,
        tag="sessions",
        errors=(404, 409),
    ),
    Route(
        "GET",
        f"{_AT}/{{sid}}/messages",
        messages,
        "sessions:read",
        summary="A session's messages",
        answer=shapes.SessionMessages,
        tag="sessions",
        query=ReadMessages,
    ),
    Route(
        "POST",
        f"{_AT}/{{sid}}/resume",
        resume,
        "tasks:write",
        summary="Go on with a session",
        answer=shapes.Resumed,
        headers=(SUBMIT_KEY,),
        tag="sessions",
        body=ResumeSession,
        errors=(404, 409),
    ),
    Route(
        "GET",
        "/v1/agent/codebases/{id}/messages",
        latest_messages,
        "sessions:read",
        summary="The last session's messages",
        answer=shapes.SessionMessages,
        tag="sessions",
        query=ReadLatest,
        errors=(404,),
    ),
)
