"""Tasks: submit, follow, steer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from codetether_adapters.client.codebases import codebase_id
from codetether_adapters.client.following import TaskEvent, ToldOfCuts, follow
from codetether_adapters.client.handle import TaskHandle
from codetether_adapters.client.new_task import NewTask
from codetether_adapters.client.operations import M, Resource, operation, stream
from codetether_adapters.client.requests import AGENT, Request, fresh_key, many, nothing, one, path
from codetether_adapters.client.task_requests import cancel_task, events_path, get_task
from codetether_adapters.client.views import CodebaseView, ExplanationView, TaskView
from codetether_core.tasks import TaskState

__all__ = ["Tasks"]


class Tasks(Resource[M]):
    """``client.tasks``."""

    @operation
    async def run(
        self,
        prompt: str,
        *,
        codebase: str | CodebaseView = "global",
        agent: str = "build",
        model: str | None = None,
        title: str | None = None,
        priority: int = 0,
        metadata: Mapping[str, Any] | None = None,
        target_agent: str | None = None,
        target_worker: str | None = None,
        capabilities: Sequence[str] = (),
        max_attempts: int | None = None,
        timeout: timedelta | None = None,
        start_by: datetime | None = None,
        context: str | None = None,
        idempotency_key: str | None = None,
    ) -> TaskHandle[M]:
        """Submit a task and get a handle on it, to follow, answer or cancel it.

        The arguments are those of ``NewTask``. An ``idempotency_key`` of your own makes submitting safe across
        restarts of your program.
        """
        new = NewTask(
            prompt,
            codebase=codebase,
            agent=agent,
            model=model,
            title=title,
            priority=priority,
            metadata=metadata,
            target_agent=target_agent,
            target_worker=target_worker,
            capabilities=capabilities,
            max_attempts=max_attempts,
            timeout=timeout,
            start_by=start_by,
            context=context,
            idempotency_key=idempotency_key or fresh_key(),
        )
        return TaskHandle(self._transport, await self._submit(new))

    @operation
    async def submit(self, new: NewTask) -> TaskView:
        """Submit a task; the same value again, at any time, gives the same task."""
        return await self._submit(new)

    @operation
    async def get(self, id: str) -> TaskView:
        """One task."""
        return await self._send(get_task(id))

    @operation
    async def handle(self, id: str) -> TaskHandle[M]:
        """A handle on a task that was submitted before."""
        return TaskHandle(self._transport, await self._send(get_task(id)))

    @operation
    async def list(
        self,
        *,
        codebase: str | CodebaseView | None = None,
        status: TaskState | Sequence[TaskState] | None = None,
        worker: str | None = None,
        context: str | None = None,
        newest_first: bool = False,
        limit: int = 100,
        offset: int = 0,
    ) -> Sequence[TaskView]:
        """Tasks, highest priority and oldest first unless ``newest_first``."""
        wanted = [status] if isinstance(status, TaskState) else status or []
        query = {
            "codebase_id": None if codebase is None else await codebase_id(self._transport, codebase),
            "status": ",".join(wanted) or None,
            "worker_id": worker,
            "context_id": context,
            "order": "newest" if newest_first else None,
            "limit": limit,
            "offset": offset or None,
        }
        return await self._send(Request(method="GET", path=f"{AGENT}/tasks", query=query, read=many(TaskView)))

    @stream
    async def watch(self, id: str, *, since: str = "", told: ToldOfCuts | None = None) -> AsyncGenerator[TaskEvent]:
        """Everything that happens to a task, from its first event (or after the cursor ``since``) to its last.

        ``told`` is called with what went wrong when the connection is lost, and with ``None`` when it is back.
        """
        async for event in follow(self._transport, events_path(id), since, told=told):
            yield event

    @operation
    async def delete(self, id: str) -> None:
        """Erase an ended task with its output, files and approvals: it is not found from then on.

        Your own, unless you may erase others'. The record in the audit trail stays, and so do backups.
        """
        await self._send(Request(method="DELETE", path=path(f"{AGENT}/tasks", id), read=nothing))

    @operation
    async def cancel(self, id: str) -> TaskView:
        """End the task; what runs is stopped. ``Conflict`` if it has completed or failed."""
        return await self._send(cancel_task(id))

    @operation
    async def retry(self, id: str) -> TaskView:
        """A new task like the ended one."""
        return await self._send(_again(id, "retry"))

    @operation
    async def requeue(self, id: str) -> TaskView:
        """Take a running task from its worker, back into the queue; of an ended one, the same as ``retry``."""
        return await self._send(_again(id, "requeue"))

    @operation
    async def explain(self, id: str) -> ExplanationView:
        """Why the task waits, and what keeps each worker from taking it."""
        where = path(f"{AGENT}/tasks", id, "explain")
        return await self._send(Request(method="GET", path=where, read=one(ExplanationView)))

    async def _submit(self, new: NewTask) -> TaskView:
        return await self._send(
            Request(
                method="POST",
                path=path(f"{AGENT}/codebases", await codebase_id(self._transport, new.codebase), "tasks"),
                body=new.body(),
                headers={"idempotency-key": new.idempotency_key},
                read=one(TaskView, "task"),
            )
        )


def _again(id: str, verb: str) -> Request[TaskView]:
    return Request(
        method="POST",
        path=path(f"{AGENT}/tasks", id, verb),
        headers={"idempotency-key": fresh_key()},
        read=one(TaskView, "task"),
        repeatable=verb == "retry",  # which keeps to its key
    )
