"""Workers tell sessions and messages, again and again.

Nothing that was told is ever taken back by a later telling: messages are written over by id, and the user's own
prompt is kept from the moment it was given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from attrs import Factory, frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.telling import ToldMessage, ToldSession, message_of, session_of
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core import codec
from codetether_core.errors import Invalid
from codetether_core.ids import CodebaseId, SessionId
from codetether_core.sessions import Session, SessionMessage

__all__ = ["ROUTES"]

_AT: Final = "/v1/agent/codebases/{id}/sessions"


@frozen
class SyncSessions:
    """All sessions that a worker has of a codebase."""

    worker_id: str
    sessions: tuple[ToldSession, ...]


@frozen
class SyncMessages:
    """Messages that a worker has of a session, not necessarily all."""

    worker_id: str
    messages: tuple[ToldMessage, ...]


@frozen
class IngestSession:
    """A session and messages from anywhere."""

    source: str | None = None
    worker_id: str | None = None
    session: Any = Factory(dict)
    messages: tuple[ToldMessage, ...] = ()


async def sync(call: Call) -> Response:
    """Keep sessions as a worker tells them."""
    told, now = await call.body(SyncSessions), call.services.clock.now()
    sessions = [
        session_of(each, call.principal.tenant, _codebase(call), now, worker=told.worker_id, field=f"sessions.{index}")
        for index, each in enumerate(told.sessions)
    ]
    count = await call.services.conversation.sync(call.principal, _codebase(call), sessions)
    return Json({"success": True, "sessions_count": count})


async def sync_messages(call: Call) -> Response:
    """Keep messages, each over the one with its id."""
    told = await call.body(SyncMessages)
    session, kept = _read(call, ToldSession(call.path["sid"]), told.messages, told.worker_id, "worker_sync")
    await call.services.conversation.tell(call.principal, session, kept)
    return Json({"success": True, "messages_count": len(told.messages)})


async def ingest(call: Call) -> Response:
    """Keep a session and its messages, whoever tells them; one that was erased is refused."""
    told = await call.body(IngestSession)
    if not isinstance(told.session, dict):
        raise Invalid("session", "must be an object")
    session = codec.parse(ToldSession, {**told.session, "id": call.path["sid"]}, field="session")
    source = told.source or "ingest"
    read, messages = _read(call, session, told.messages, told.worker_id, source)
    kept = await call.services.conversation.upsert(call.principal, read, messages)
    return Json({"success": True, "session_id": kept.id, "source": source, "messages_ingested": len(told.messages)})


def _read(
    call: Call, told: ToldSession, messages: Sequence[ToldMessage], worker: str | None, source: str
) -> tuple[Session, Sequence[SessionMessage]]:
    now, tenant = call.services.clock.now(), call.principal.tenant
    kept = [message_of(each, SessionId(told.id), now, f"messages.{index}") for index, each in enumerate(messages)]
    session = session_of(told, tenant, _codebase(call), now, worker=worker, field="session", source=source)
    return session, kept


def _codebase(call: Call) -> CodebaseId:
    return CodebaseId(call.path["id"])


ROUTES: Final = (
    Route(
        "POST",
        f"{_AT}/sync",
        sync,
        "sessions:write",
        summary="Tell sessions",
        answer=shapes.SessionsTold,
        tag="sessions",
        body=SyncSessions,
        errors=(404,),
    ),
    Route(
        "POST",
        f"{_AT}/{{sid}}/messages/sync",
        sync_messages,
        "sessions:write",
        summary="Tell messages",
        answer=shapes.MessagesTold,
        tag="sessions",
        body=SyncMessages,
        errors=(404,),
    ),
    Route(
        "POST",
        f"{_AT}/{{sid}}/ingest",
        ingest,
        "sessions:write",
        summary="Tell a session and its messages",
        answer=shapes.Ingested,
        tag="sessions",
        body=IngestSession,
        errors=(404, 409),
    ),
)
