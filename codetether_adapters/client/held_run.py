"""One claimed task on its way through a function: lease kept, output sent, outcome told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from math import inf
from pathlib import Path
from typing import Final

import anyio
import anyio.lowlevel
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from attrs import define, field

from codetether_adapters.client.errors import BadAnswer, ConnectionFailed, ServerFailed
from codetether_adapters.client.fitting import PIECE_BYTES, clean, cut, pieces
from codetether_adapters.client.lease_words import Claimed
from codetether_adapters.client.operations import Async
from codetether_adapters.client.views import ApprovalView, TaskView
from codetether_adapters.client.worker_protocol import WorkerProtocol
from codetether_core.access import ToolUse
from codetether_core.approvals import ApprovalKind, ApprovalState, Option
from codetether_core.errors import CodeTetherError, Conflict, NotFound, TooManyArtifacts, Unavailable
from codetether_core.ports import RunFailed, RunOutcome
from codetether_core.redaction import rewritten
from codetether_core.tasks import OutputChunk

__all__ = ["AgentFunction", "AgentRun", "HeldRun"]

_WAITING: Final = 256
"""Pieces of output that may wait to be sent before the function has to."""
_LEAVING: Final = 10.0
_PAUSE: Final = 1.0
_BATCH: Final = 8 * PIECE_BYTES
"""How much output is sent at once; written as JSON it may take six times as much."""
_LATER: Final = (BadAnswer, ConnectionFailed, ServerFailed, Unavailable)


@define(eq=False)
class AgentRun:
    """What an agent's function is given: the ``task``, and its ways to speak while it works.

    ``answers`` are those to questions that earlier runs of the task asked without waiting, ``environment`` has the
    secrets that the run needs, by variable.
    """

    task: TaskView
    answers: Sequence[ApprovalView]
    environment: Mapping[str, str] = field(repr=False)
    _held: HeldRun

    async def emit(self, text: str, *, stream: str = "stdout") -> None:
        """Output, for everybody who watches; waits while too much of it is still to be sent.

        NUL becomes ``␀``; what is longer than 16 KiB goes in pieces.
        """
        for piece in pieces(text):
            await self._held.emit(OutputChunk(text=piece, stream=stream))

    async def attach(self, name: str, data: bytes | Path, *, media_type: str | None = None) -> None:
        """Leave a file with the task, in place of one of that name: bytes, or the path of those to read."""
        await self._held.attach(name, data, media_type)

    async def ask(
        self,
        prompt: str,
        *options: Option,
        kind: ApprovalKind = ApprovalKind.QUESTION,
        tool: ToolUse | None = None,
    ) -> ApprovalView:
        """Ask a person and wait for the answer: one of the ``options``, or ``text`` if there are none.

        A ``tool``, with the kind ``PERMISSION``, says for what: the server's policy may know the answer, and nobody is
        asked. ``DeniedByPolicy`` if that is no, and no option says so.
        """
        return await self._held.ask(prompt, options, kind, tool)


AgentFunction = Callable[[AgentRun], Awaitable[str | RunOutcome | None]]
"""Does a task; what it returns is the result, of which 256 KiB are kept, or has more to say of it."""


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
    _unspeakable: CodeTetherError | None = field(default=None, init=False)

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

    async def attach(self, name: str, data: bytes | Path, media_type: str | None) -> None:
        """Have the server keep a file."""
        await self._until_heard(lambda: self.protocol.attach(*self._word, name, data, media_type=media_type))

    async def ask(
        self, prompt: str, options: Sequence[Option], kind: ApprovalKind, tool: ToolUse | None
    ) -> ApprovalView:
        """Ask, and wait for the answer."""
        tool = rewritten(tool, clean)
        approval = await self.protocol.ask(*self._word, clean(prompt), options=options, kind=kind, tool=tool)
        if approval.status is not ApprovalState.OPEN:
            return approval
        return await self.protocol.wait_for(approval.id)

    @property
    def _word(self) -> tuple[str, str, str]:
        return self.worker_id, self.claimed.task.id, self.claimed.lease.token

    async def _outcome(self, function: AgentFunction) -> None:
        """Have the function do the task, and tell how that went; in other words if the server refuses these."""
        failure: RunFailed | None = None
        outcome: RunOutcome | None = None
        async with anyio.create_task_group() as sending:
            sending.start_soon(self._send_output, sending.cancel_scope)
            try:
                outcome = _outcome(
                    await function(AgentRun(self.claimed.task, self.claimed.answers, self.claimed.environment, self))
                )
            except RunFailed as error:
                failure = error
            except anyio.get_cancelled_exc_class() as error:
                if anyio.current_effective_deadline() == -inf:  # somebody wants this run to end
                    raise
                failure = RunFailed(f"{type(error).__name__} came out of the function", "agent_crashed")
            except Exception as error:
                failure = RunFailed(f"{type(error).__name__}: {error}", "agent_crashed")
            self._output.close()
        if self._unspeakable is not None:
            failure = RunFailed(f"The server refused the output: {self._unspeakable.message}", "output_refused")
        try:
            await self._tell(outcome, failure)
        except CodeTetherError as error:
            await self._tell(None, RunFailed(f"The server refused the outcome: {error.message}", "outcome_refused"))

    async def _tell(self, outcome: RunOutcome | None, failure: RunFailed | None) -> None:
        words, id = self.protocol, self._word
        if failure is not None:
            error = cut(failure.error)
            await self._until_heard(lambda: words.fail(*id, error, reason=failure.reason))
        elif outcome is None:
            await self._until_heard(lambda: words.complete(*id, None))
        else:
            told, session = cut(outcome.result), outcome.session
            await self._until_heard(lambda: words.complete(*id, told, reason=outcome.reason, session_id=session))

    async def _send_output(self, working: anyio.CancelScope) -> None:
        """Send what waits, as much at once as is reasonable; what the server refuses to hear ends the function."""
        async for chunk in self._waiting:
            batch, size = [chunk], len(chunk.text)
            while size < _BATCH and self._waiting.statistics().current_buffer_used:
                batch.append(self._waiting.receive_nowait())
                size += len(batch[-1].text)
            first = self._sent
            self._sent += len(batch)
            try:
                await self._until_heard(partial(self.protocol.output, *self._word, batch, first=first))
            except CodeTetherError as error:
                self._unspeakable = error
                working.cancel()
                return

    async def _keep(self) -> None:
        """Renew the lease four times as often as needed."""
        while True:
            await anyio.sleep(self.claimed.lease.ttl_seconds / 4)
            await self._until_heard(lambda: self.protocol.renew(*self._word))

    async def _until_heard(self, say: Callable[[], Awaitable[object]]) -> None:
        """Say it until the server has heard it; a conflict means that the task is not ours any more.

        Other refusals are raised: these very words are wrong.
        """
        while True:
            try:
                await say()
                return
            except _LATER:
                await anyio.sleep(_PAUSE)
            except TooManyArtifacts:
                raise
            except (Conflict, NotFound):
                self.cancel()
                await anyio.lowlevel.checkpoint()  # where the cancellation arrives
                return

    async def _last_word(self, word: str) -> None:
        say = self.protocol.release if word == "release" else self.protocol.stopped
        with suppress(CodeTetherError):  # it ended otherwise, or nobody hears us: the lease runs out by itself
            await say(*self._word)


def _outcome(returned: object) -> RunOutcome | None:
    """What the function returned, if that can be told."""
    if returned is None or isinstance(returned, RunOutcome):
        return returned
    if not isinstance(returned, str):
        raise TypeError(f"an agent's function returns text or None, not {type(returned).__name__}")
    return RunOutcome(result=returned)
