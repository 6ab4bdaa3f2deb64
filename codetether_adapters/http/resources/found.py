"""Finding a session by its id alone."""

from __future__ import annotations

from codetether_adapters.http.call import Call
from codetether_core.errors import NotFound
from codetether_core.ids import CodebaseId, SessionId
from codetether_core.sessions import Session
from codetether_core.tasks import ANYWHERE

__all__ = ["found_session"]


async def found_session(call: Call, id: str, codebase: str | None = None) -> Session:
    """The session of that id in the codebase, or the last updated of that id in any; ``NotFound``.

    Ids are unique within a codebase, so each one is asked: there are many sessions and few codebases.
    """
    services, tenant = call.services, call.principal.tenant
    if codebase is not None:
        session: Session = await services.backend.sessions.get(tenant, CodebaseId(codebase), SessionId(id))
        return session
    found: list[Session] = []
    known = [codebase.id for codebase in await services.backend.codebases.list(tenant)]
    for each in (*known, *sorted(ANYWHERE)):
        try:
            found.append(await services.backend.sessions.get(tenant, each, SessionId(id)))
        except NotFound:
            continue
    if not found:
        raise NotFound("session", id)
    return max(found, key=lambda session: session.updated_at)
