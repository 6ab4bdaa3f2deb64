"""What the holder of a task says about it, each word under the token of its lease.

Every word may be sent again when its answer is lost: claims and questions carry a key, output the ordinal of its
first chunk, and a repeated outcome changes nothing. ``StaleLease`` says that somebody else holds the task by now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import field, frozen

from codetether_adapters.client.approvals import answered, ask_request
from codetether_adapters.client.artifacts import leave_artifact
from codetether_adapters.client.operations import M, Resource, operation
from codetether_adapters.client.requests import AGENT, WORKER, Request, fresh_key, nothing, one, path
from codetether_adapters.client.views import ApprovalView, ArtifactView, TaskView
from codetether_core.access import ToolUse
from codetether_core.approvals import ApprovalKind, Option
from codetether_core.secrets import HandedSecret
from codetether_core.tasks import OutputChunk

__all__ = ["Claimed", "Lease", "LeaseWords", "credentials"]


@frozen(kw_only=True)
class Lease:
    """The right to speak about a task: until ``expires_at`` unless renewed, until ``run_deadline`` at most."""

    token: str = field(repr=False)
    expires_at: datetime
    run_deadline: datetime
    ttl_seconds: float
    number: int = 0


@frozen(kw_only=True)
class Claimed:
    """A task that is ours, the lease on it, and the ``answers`` to what earlier runs of it asked without waiting.

    ``secrets`` are those that its run needs in its ``environment``. At ``tools_path`` of the server it finds tools,
    over MCP and with the token of the lease.
    """

    task: TaskView
    lease: Lease
    answers: tuple[ApprovalView, ...] = ()
    secrets: tuple[HandedSecret, ...] = ()
    tools_path: str | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """The values of the secrets, by variable."""
        return {each.variable: each.value for each in self.secrets}


class LeaseWords(Resource[M]):
    """From the claim to the outcome."""

    @operation
    async def claim(self, worker_id: str, task_id: str, key: str) -> Claimed:
        """Take the task under a lease; ``TaskUnavailable`` if somebody else was faster.

        ``key`` has 16 random characters at least, and is kept for as long as the answer is unknown: with the same
        one we get the same lease.
        """
        return await self._send(
            Request(
                method="POST",
                path=f"{WORKER}/tasks/claim",
                body={"task_id": task_id, "lease": True},
                headers={"x-worker-id": worker_id, "idempotency-key": key},
                read=one(Claimed),
            )
        )

    @operation
    async def renew(self, worker_id: str, task_id: str, token: str, *, session_id: str | None = None) -> Lease:
        """The run goes on; ``StaleLease`` says to stop it."""
        body = {"task_id": task_id, "session_id": session_id}
        return await self._send(_word("tasks/renew", worker_id, token, body, one(Lease, "lease")))

    @operation
    async def output(
        self, worker_id: str, task_id: str, token: str, chunks: Sequence[OutputChunk], *, first: int | None = None
    ) -> None:
        """Output of the run. ``first`` is the ordinal of the first chunk within this lease, from 0."""
        await self._send(
            Request(
                method="POST",
                path=path(f"{AGENT}/tasks", task_id, "output"),
                body={"worker_id": worker_id, "outputs": [_told(chunk) for chunk in chunks], "first": first},
                headers=credentials(worker_id, token),
                read=nothing,
                repeatable=first is not None,
            )
        )

    @operation
    async def attach(
        self, worker_id: str, task_id: str, token: str, name: str, data: bytes | Path, *, media_type: str | None = None
    ) -> ArtifactView:
        """Leave a file with the task, in place of one of that name, a relative path; the same again changes nothing."""
        return await self._send(leave_artifact(task_id, name, data, media_type, credentials(worker_id, token)))

    @operation
    async def complete(
        self,
        worker_id: str,
        task_id: str,
        token: str,
        result: str | None,
        *,
        reason: str | None = None,
        session_id: str | None = None,
        chunks: Sequence[OutputChunk] = (),
        first: int | None = None,
    ) -> TaskView:
        """The run succeeded, in the way of ``reason``; ``chunks`` are the last of its output."""
        body = {"status": "completed", "result": result, "reason": reason, "session_id": session_id}
        return await self._send(_outcome(worker_id, task_id, token, body, chunks, first))

    @operation
    async def fail(
        self,
        worker_id: str,
        task_id: str,
        token: str,
        error: str,
        *,
        reason: str = "agent_failed",
        retry: bool = False,
        session_id: str | None = None,
        chunks: Sequence[OutputChunk] = (),
        first: int | None = None,
    ) -> TaskView:
        """The run failed; with ``retry`` it is tried again later while attempts are left."""
        body = {"status": "failed", "error": error, "reason": reason, "retry": retry, "session_id": session_id}
        return await self._send(_outcome(worker_id, task_id, token, body, chunks, first))

    @operation
    async def release(self, worker_id: str, task_id: str, token: str) -> None:
        """Give the task back; no attempt is charged."""
        await self._send(_word("tasks/release", worker_id, token, {"task_id": task_id}, nothing))

    @operation
    async def stopped(self, worker_id: str, task_id: str, token: str) -> None:
        """Nothing of the cancelled run is left here."""
        await self._send(_word("tasks/stopped", worker_id, token, {"task_id": task_id}, nothing))

    @operation
    async def ask(
        self,
        worker_id: str,
        task_id: str,
        token: str,
        prompt: str,
        *,
        kind: ApprovalKind = ApprovalKind.QUESTION,
        options: Sequence[Option] = (),
        held: bool = True,
        timeout: timedelta = timedelta(hours=24),
        details: Mapping[str, Any] | None = None,
        tool: ToolUse | None = None,
        key: str = "",
    ) -> ApprovalView:
        """Ask a person. ``held`` keeps the lease (go on renewing); else the answer makes the task pending again.

        With a ``tool``, for a permission, the server's policy is asked first: what it answers is answered already, and
        the lease goes on; ``DeniedByPolicy`` if it says no and no option does.
        The same ``key`` under the same lease is the same question; one is made for each call otherwise.
        """
        body = {
            "worker_id": worker_id,
            "prompt": prompt,
            "kind": kind,
            "options": options,
            "held": held,
            "timeout_seconds": int(timeout.total_seconds()),
            "details": details,
            "tool": tool,
        }
        return await self._send(
            ask_request(task_id, body, {**credentials(worker_id, token), "idempotency-key": key or fresh_key()})
        )

    @operation
    async def wait_for(self, approval_id: str) -> ApprovalView:
        """The approval once it is no longer open; its deadline bounds the wait."""
        return await answered(self._transport, approval_id)


def credentials(worker_id: str, token: str | None) -> Mapping[str, str | None]:
    """The headers by which a worker, and its lease, are known."""
    return {"x-worker-id": worker_id, "x-lease-token": token}


def _word(verb: str, worker_id: str, token: str, body: Mapping[str, Any], read: Any) -> Request[Any]:
    return Request(method="POST", path=f"{WORKER}/{verb}", body=body, headers=credentials(worker_id, token), read=read)


def _outcome(
    worker_id: str,
    task_id: str,
    token: str,
    body: Mapping[str, Any],
    chunks: Sequence[OutputChunk],
    first: int | None,
) -> Request[TaskView]:
    outputs = [_told(chunk) for chunk in chunks] or None
    return Request(
        method="PUT",
        path=path(f"{AGENT}/tasks", task_id, "status"),
        body={**body, "worker_id": worker_id, "outputs": outputs, "first": first},
        headers=credentials(worker_id, token),
        read=one(TaskView, "task"),
    )


def _told(chunk: OutputChunk) -> dict[str, Any]:
    told: dict[str, Any] = {"output": chunk.text, "stream": chunk.stream}
    if chunk.at is not None:
        told["timestamp"] = chunk.at
    if chunk.event is not None:
        told["event"] = chunk.event
    return told
