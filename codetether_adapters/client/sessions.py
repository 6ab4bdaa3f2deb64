"""Sessions: conversations with agents, readable without a worker and resumed as tasks."""

from __future__ import annotations

from collections.abc import Sequence

from codetether_adapters.client.codebases import codebase_id
from codetether_adapters.client.handle import TaskHandle
from codetether_adapters.client.operations import M, Resource, operation
from codetether_adapters.client.requests import AGENT, Request, fresh_key, many, one, path
from codetether_adapters.client.task_requests import get_task
from codetether_adapters.client.views import CodebaseView, SessionMessageView, SessionView

__all__ = ["Sessions"]


class Sessions(Resource[M]):
    """``client.sessions``."""

    @operation
    async def list(
        self, codebase: str | CodebaseView, *, search: str | None = None, limit: int = 50, offset: int = 0
    ) -> Sequence[SessionView]:
        """A codebase's conversations, the last active first."""
        where = path(f"{AGENT}/codebases", await codebase_id(self._transport, codebase), "sessions")
        query = {"q": search, "limit": limit, "offset": offset or None}
        return await self._send(Request(method="GET", path=where, query=query, read=many(SessionView, "sessions")))

    @operation
    async def get(self, codebase: str | CodebaseView, id: str) -> SessionView:
        """One conversation."""
        where = path(f"{AGENT}/codebases", await codebase_id(self._transport, codebase), "sessions", id)
        return await self._send(Request(method="GET", path=where, read=one(SessionView)))

    @operation
    async def messages(
        self, codebase: str | CodebaseView, id: str, *, limit: int = 100
    ) -> Sequence[SessionMessageView]:
        """What was said in it, in order."""
        where = path(f"{AGENT}/codebases", await codebase_id(self._transport, codebase), "sessions", id, "messages")
        return await self._send(
            Request(method="GET", path=where, query={"limit": limit}, read=many(SessionMessageView, "messages"))
        )

    @operation
    async def delete(self, codebase: str | CodebaseView, id: str) -> int:
        """Erase it with what was said in it and every task that ran in it; how many tasks those were.

        All of them must have ended, and be your own, unless you may erase others'.
        """
        where = path(f"{AGENT}/codebases", await codebase_id(self._transport, codebase), "sessions", id)
        return await self._send(Request(method="DELETE", path=where, read=one(int, "tasks_erased")))

    @operation
    async def resume(
        self, codebase: str | CodebaseView, id: str, prompt: str, *, agent: str = "build", model: str | None = None
    ) -> TaskHandle[M]:
        """Go on with it: a new task that begins where the conversation stands."""
        where = path(f"{AGENT}/codebases", await codebase_id(self._transport, codebase), "sessions", id, "resume")
        body = {"prompt": prompt, "agent": agent, "model": model}
        key = {"idempotency-key": fresh_key()}
        task_id = await self._send(Request(method="POST", path=where, body=body, headers=key, read=one(str, "task_id")))
        return TaskHandle(self._transport, await self._send(get_task(task_id)))
