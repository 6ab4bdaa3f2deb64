"""What a worker says to the server: ``client.worker``.

A worker registers, tells what it has, and holds one stream that brings it offers; what it says about a task from the
claim on is in ``lease_words``. Nothing here keeps state.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from codetether_adapters.client.frames import Reader, streaming
from codetether_adapters.client.lease_words import LeaseWords, credentials
from codetether_adapters.client.operations import M, operation, stream
from codetether_adapters.client.requests import AGENT, WORKER, Request, many, nothing, one, path
from codetether_adapters.client.views import CodebaseView, TaskView, WorkerView
from codetether_adapters.client.worker_notices import Notice, notice_of

__all__ = ["WorkerProtocol"]


class WorkerProtocol(LeaseWords[M]):
    """A worker's side of the protocol."""

    @operation
    async def register(
        self,
        worker_id: str,
        name: str,
        *,
        capabilities: Sequence[str] = (),
        agents: Sequence[str] = (),
        codebases: Sequence[str] = (),
        models: Sequence[Mapping[str, Any]] = (),
        hostname: str = "",
        slots: int = 2,
        global_codebase_id: str | None = None,
    ) -> WorkerView:
        """Say who we are and what we can do; again whenever that changes, and after a heartbeat said ``NotFound``."""
        body = {
            "worker_id": worker_id,
            "name": name,
            "capabilities": capabilities,
            "agents": agents,
            "codebases": codebases,
            "models": models,
            "hostname": hostname,
            "slots": slots,
            "global_codebase_id": global_codebase_id,
        }
        where = f"{AGENT}/workers/register"
        return await self._send(Request(method="POST", path=where, body=body, read=one(WorkerView, "worker")))

    @operation
    async def heartbeat(self, worker_id: str) -> None:
        """We are still here; ``NotFound`` asks to register again."""
        where = path(f"{AGENT}/workers", worker_id, "heartbeat")
        await self._send(Request(method="POST", path=where, read=nothing))

    @operation
    async def unregister(self, worker_id: str) -> None:
        """We leave."""
        where = path(f"{AGENT}/workers", worker_id, "unregister")
        await self._send(Request(method="POST", path=where, read=nothing))

    @operation
    async def add_codebase(
        self,
        name: str,
        directory: str,
        *,
        worker_id: str,
        description: str = "",
        agent_config: Mapping[str, Any] | None = None,
    ) -> CodebaseView:
        """We have this directory; the same name and path keep their id."""
        body = {
            "name": name,
            "path": directory,
            "description": description,
            "agent_config": agent_config,
            "worker_id": worker_id,
        }
        return await self._send(
            Request(method="POST", path=f"{AGENT}/codebases", body=body, read=one(CodebaseView, "codebase"))
        )

    @stream
    async def stream(
        self,
        worker_id: str,
        name: str,
        *,
        codebases: Sequence[str] = (),
        capabilities: Sequence[str] = (),
        agents: Sequence[str] = (),
        slots: int = 2,
    ) -> AsyncGenerator[Notice]:
        """Offers and cancels as they come, over one connection.

        It ends when the server ends it and raises ``ConnectionFailed`` when it is cut. Then ``poll``, pause and
        connect again. Without ``agents`` any type of task is offered.
        """
        request = streaming(
            f"{WORKER}/tasks/stream",
            x_worker_id=worker_id,
            x_agent_name=name,
            x_codebases=",".join(codebases),
            x_capabilities=",".join(capabilities),
            x_agents=",".join(agents) or None,
            x_slots=str(slots),
            x_worker_events="cancel,drain",
        )
        async for frame in Reader().frames(self._transport, request):
            notice = notice_of(frame.name, frame.data)
            if notice is not None:
                yield notice

    @operation
    async def poll(self, worker_id: str, name: str, *, limit: int = 100) -> Sequence[TaskView]:
        """Pending tasks that a worker of that name may take, best first: what the stream would offer."""
        query = {"status": "pending", "agent_name": name, "limit": limit}
        headers = {"x-worker-id": worker_id}
        return await self._send(
            Request(method="GET", path=f"{AGENT}/tasks", query=query, headers=headers, read=many(TaskView))
        )

    @operation
    async def sync_sessions(
        self, codebase_id: str, worker_id: str, sessions: Sequence[Mapping[str, Any]], *, token: str | None = None
    ) -> None:
        """Tell of conversations that this worker has; ``NotFound`` asks to add the codebase again."""
        where = path(f"{AGENT}/codebases", codebase_id, "sessions", "sync")
        await self._send(_told_sessions(where, worker_id, token, {"sessions": sessions}))

    @operation
    async def sync_messages(
        self,
        codebase_id: str,
        session_id: str,
        worker_id: str,
        messages: Sequence[Mapping[str, Any]],
        *,
        token: str | None = None,
    ) -> None:
        """Tell what was said in one conversation."""
        where = path(f"{AGENT}/codebases", codebase_id, "sessions", session_id, "messages", "sync")
        await self._send(_told_sessions(where, worker_id, token, {"messages": messages}))


def _told_sessions(where: str, worker_id: str, token: str | None, body: Mapping[str, Any]) -> Request[None]:
    return Request(
        method="POST",
        path=where,
        body={"worker_id": worker_id, **body},
        headers=credentials(worker_id, token),
        read=nothing,
    )
