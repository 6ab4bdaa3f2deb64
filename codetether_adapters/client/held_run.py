"""One claimed task on its way through a function: lease kept, output sent, outcome told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

import anyio
import anyio.lowlevel
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from attrs import define, field

from codetether_adapters.client.errors import ConnectionFailed, ServerFailed
from codetether_adapters.client.lease_words import Claimed
from codetether_adapters.client.operations import Async
from codetether_adapters.client.views import ApprovalView, TaskView
from codetether_adapters.client.worker_protocol import WorkerProtocol
from codetether_core.approvals import ApprovalKind, Option
from codetether_core.errors import CodeTetherError, Conflict, NotFound, Unavailable
from codetether_core.ports import RunFailed
from codetether_core.tasks import OutputChunk

__all__ = ["AgentFunction", "AgentRun", "HeldRun"]

_WAITING: Final = 256
"""Pieces of output that may wait to be sent before the function has to."""
_LEAVING: Final = 10.0
_PAUSE: Final = 1.0
_LATER: Final = (ConnectionFailed, ServerFailed, Unavailable)


@define(eq=False)
class AgentRun:
    """What an agent's function is given: the ``task``, and its ways to speak while it works."""

    task: TaskView
    _held: HeldRun

    async def emit(self, text: str, *, stream: str = "stdout") -> None:
        """A piece of output, for everybody who watches; waits while too much of it is still to be sent."""
        await self._held.emit(OutputChunk(text=text, stream=stream))

    async def ask(self, prompt: str, *options: Option, kind: ApprovalKind = ApprovalKind.QUESTION) -> ApprovalView:
        """Ask a person and wait for the answer: one of the ``options``, or ``text`` if there are none."""
        return await self._held.ask(prompt, options, kind)


AgentFunction = Callable[[AgentRun], Awaitable[str | None]]


@define(eq=False)
class HeldRun:
    """The run of one task. ``cancel`` stops it: the task was cancelled."""

    protocol: WorkerProtocol[Async]
    worker_id: str
    claimed: Claimed
    _scope: anyio.CancelScope = field(factory=anyio.CancelScope, init=False)
    _output: MemoryObjectSendStream[OutputChunk] = field(init=False)
    _waiting: MemoryObjectReceiveStream[OutputChunk] = field(init=False)
    _sent: int = field(default=0, init=False)
    _lost: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._output, self._waiting = anyio.create_memory_object_stream[OutputChunk](_WAITING)

    async def execute(self, function: AgentFunction) -> None:
        """Run the function and tell what came of it; if we are cancelled ourselves, give the task back."""
        try:
            with self._scope, self._output, self._waiting:
                async with anyio.create_task_group() as beside:
                    beside.start_soon(self._keep)
                    await self._outcome(function)
                    beside.cancel_scope.cancel()
            if self._lost:
                await self._last_word("stopped")
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(_LEAVING, shield=True):
                await self._last_word("release")
            raise

    def cancel(self) -> None:
        """The task is not ours any more."""
        self._lost = True
        self._scope.cancel()

    async def emit(self, chunk: OutputChunk) -> None:
        """Have it sent."""
        await self._output.send(chunk)

    async def ask(self, prompt: str, options: Sequence[Option], kind: ApprovalKind) -> ApprovalView:
        """Ask, and wait for the answer."""
        approval = await self.protocol.ask(*self._word, prompt, options=options, kind=kind)
        return await self.protocol.wait_for(approval.id)

    @property
    def _word(self) -> tuple[str, str, str]:
        return self.worker_id, self.claimed.task.id, self.claimed.lease.token

    async def _outcome(self, function: AgentFunction) -> None:
        error: RunFailed | None = None
        result: str | None = None
        async with anyio.create_task_group() as sending:
            sending.start_soon(self._send_output)
            try:
                result = await function(AgentRun(self.claimed.task, self))
            except RunFailed as failure:
                error = failure
            except Exception as failure:
                error = RunFailed(f"{type(failure).__name__}: {failure}", "agent_crashed")
            self._output.close()
        if error is None:
            await self._until_heard(lambda: self.protocol.complete(*self._word, result))
        else:
            failed = error
            await self._until_heard(lambda: self.protocol.fail(*self._word, failed.error, reason=failed.reason))

    async def _send_output(self) -> None:
        """Send what waits, as much at once as there is."""
        async for chunk in self._waiting:
            batch = [chunk]
            while len(batch) < _WAITING and self._waiting.statistics().current_buffer_used:
                batch.append(self._waiting.receive_nowait())
            first = self._sent
            self._sent += len(batch)
            await self._until_heard(
                lambda batch=batch, first=first: self.protocol.output(*self._word, batch, first=first)  # type: ignore[misc]
            )

    async def _keep(self) -> None:
        """Renew the lease four times as often as needed."""
        while True:
            await anyio.sleep(self.claimed.lease.ttl_seconds / 4)
            await self._until_heard(lambda: self.protocol.renew(*self._word))

    async def _until_heard(self, say: Callable[[], Awaitable[object]]) -> None:
        """Say it until the server has heard it; a refusal means that the task is not ours any more."""
        while True:
            try:
                await say()
                return
            except _LATER:
                await anyio.sleep(_PAUSE)
            except (Conflict, NotFound):
                self.cancel()
                await anyio.lowlevel.checkpoint()  # where the cancellation arrives
                return

    async def _last_word(self, word: str) -> None:
        say = self.protocol.release if word == "release" else self.protocol.stopped
        with suppress(CodeTetherError):  # it ended otherwise, or nobody hears us: the lease runs out by itself
            await say(*self._word)
