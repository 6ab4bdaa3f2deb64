"""A handle on one task."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from codetether_adapters.client.artifacts import artifacts_of, read_artifact
from codetether_adapters.client.errors import TaskCancelled, TaskFailed
from codetether_adapters.client.following import TaskEvent, follow
from codetether_adapters.client.lines import objects_of
from codetether_adapters.client.operations import M, Resource, operation, stream
from codetether_adapters.client.requests import AGENT, Request, one, path
from codetether_adapters.client.task_requests import cancel_task, events_path, get_task
from codetether_adapters.client.transport import Transport
from codetether_adapters.client.views import ApprovalView, ArtifactView, TaskView
from codetether_core.ids import TaskId
from codetether_core.tasks import TaskState

__all__ = ["TaskHandle"]


class TaskHandle(Resource[M]):
    """A task that was submitted. ``task`` is what it was when last read; ``refresh`` reads it again."""

    def __init__(self, transport: Transport, task: TaskView) -> None:
        super().__init__(transport)
        self.task = task

    def __repr__(self) -> str:
        return f"TaskHandle({self.id!r}, {self.task.status.value})"

    @property
    def id(self) -> TaskId:
        """The task's id; ``client.tasks.handle(id)`` gives the handle again."""
        return self.task.id

    @operation
    async def refresh(self) -> TaskView:
        """The task as it is now."""
        self.task = await self._send(get_task(self.id))
        return self.task

    @stream
    async def events(self, *, since: str = "") -> AsyncGenerator[TaskEvent]:
        """Everything that happens to it, from the first event to the last, each once; see ``TaskEvent``."""
        async for event in follow(self._transport, events_path(self.id), since):
            yield event

    @stream
    async def output(self, *, since: str = "") -> AsyncGenerator[str]:
        """What its runs print, piece by piece, until it has ended."""
        async for event in follow(self._transport, events_path(self.id), since):
            if event.text:
                yield event.text

    @stream
    async def log(self) -> AsyncGenerator[Mapping[str, Any]]:
        """Every event so far, however old: its ``number``, ``kind``, ``at`` and ``data``."""
        async with aclosing(objects_of(self._transport, path(f"{AGENT}/tasks", self.id, "log"))) as lines:
            async for line in lines:
                yield line

    @operation
    async def wait(self) -> TaskView:
        """The task once it has ended, however it did."""
        return await self._ended()

    @operation
    async def result(self) -> str:
        """What it came to, once it has completed; ``TaskFailed`` or ``TaskCancelled`` otherwise."""
        return outcome(await self._ended())

    @operation
    async def artifacts(self) -> Sequence[ArtifactView]:
        """The files that its runs left so far."""
        return await self._send(artifacts_of(self.id))

    @stream
    async def read_artifact(self, name: str) -> AsyncGenerator[bytes]:
        """One file's bytes as they come; ``ConnectionFailed`` if they are not all."""
        async for chunk in read_artifact(self._transport, self.id, name):
            yield chunk

    @operation
    async def answer(
        self, choice: str | None = None, *, text: str | None = None, approval: str | None = None
    ) -> ApprovalView:
        """Answer what it asks; ``approval`` may be left out while only one question is open."""
        body = {"choice": choice, "text": text, "approval_id": approval}
        where = path(f"{AGENT}/tasks", self.id, "answer")
        return await self._send(
            Request(method="POST", path=where, body=body, read=one(ApprovalView, "approval"), repeatable=False)
        )

    @operation
    async def cancel(self) -> TaskView:
        """End it; what runs is stopped."""
        self.task = await self._send(cancel_task(self.id))
        return self.task

    async def _ended(self) -> TaskView:
        if not self.task.ended:
            async for _ in follow(self._transport, events_path(self.id)):
                pass
            self.task = await self._send(get_task(self.id))
        return self.task


def outcome(task: TaskView) -> str:
    """The result of a completed task; ``TaskFailed`` or ``TaskCancelled`` otherwise."""
    match task.status:
        case TaskState.COMPLETED:
            return task.result or ""
        case TaskState.CANCELLED:
            raise TaskCancelled("The task was cancelled", id=task.id)
        case _:
            raise TaskFailed(task.error or "The task failed", id=task.id, reason=task.reason or "")
