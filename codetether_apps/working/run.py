"""One task's run: claimed, run beside its lease and its output, and reported, or ended early and given back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import structlog
from attrs import define, evolve, field

from codetether_adapters.client import ApprovalView, AsyncClient, Lease, TaskView
from codetether_adapters.outbox import Report
from codetether_apps.holding.cancelling import cancelled
from codetether_apps.holding.lease import LeaseKeeper
from codetether_apps.holding.output import OutputSender
from codetether_apps.holding.verdicts import Ending, Persistence, verdict
from codetether_apps.working.asking import Asking
from codetether_apps.working.conversations import Conversations
from codetether_apps.working.reports import Reports
from codetether_apps.working.run_tools import tool_access
from codetether_core.errors import CodeTetherError
from codetether_core.ids import SessionId
from codetether_core.ports import Answer, Inquiry, Run, RunFailed, Runner, RunOutcome, ToolAccess
from codetether_core.redaction import Redactor, rewritten
from codetether_core.tasks import OutputChunk, RedactedOutput, TaskState, session_of

__all__ = ["TaskRun"]

_TRAILING: Final = 5.0
"""Seconds that the last output of a run that was ended may take."""

_PROOF: Final = "CODETETHER_MCP_TOKEN"
"""The name by which the token for tools is hidden where an agent tells it."""

_log = structlog.get_logger(__name__)


@define(eq=False, kw_only=True)
class TaskRun:
    """A run of ``task`` in ``directory``; ``exclusive`` if nobody else may be there meanwhile.

    ``redactor`` knows the secrets that it was handed, and the token of its tools, which are in nothing that it tells.
    """

    task: TaskView
    runner: Runner
    directory: Path | None
    exclusive: bool
    worker_id: str
    client: AsyncClient
    reports: Reports
    conversations: Conversations
    persistence: Persistence
    output_wait: timedelta
    output_batch: int
    started: bool = field(default=False, init=False)
    redactor: Redactor = field(factory=lambda: Redactor.of({}), init=False)
    _ending: Ending | None = field(default=None, init=False)
    _ended: asyncio.Event = field(factory=asyncio.Event, init=False)
    _token: str = field(default="", init=False, repr=False)
    _answers: Sequence[ApprovalView] = field(default=(), init=False)
    _environment: Mapping[str, str] = field(factory=dict, init=False, repr=False)
    _tools: ToolAccess | None = field(default=None, init=False)
    _session: SessionId | None = field(default=None, init=False)
    _noting: set[asyncio.Task[None]] = field(factory=set, init=False)
    _place: Path | None = field(default=None, init=False)
    _log: Any = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._log = _log.bind(task_id=self.task.id)

    def end(self, ending: Ending) -> None:
        """The run has to end. A cancel is said over any other reason, since it asks for a confirmation."""
        if self._ending is None or ending is Ending.CANCELLED:
            self._ending = ending
        self._ended.set()

    async def run(self) -> None:
        """From the claim to the last word."""
        sent = self.persistence.clock.now()
        lease = await self._claim()
        if lease is None:
            return
        self._token = lease.token
        self._place = self.reports.leavings.begin(lease.token)
        self._log = self._log.bind(attempt=lease.number)
        output = OutputSender(
            post=self._post,
            end=self.end,
            wait=self.output_wait,
            batch=self.output_batch,
            persistence=self.persistence,
        )
        keeper = LeaseKeeper(
            renew=self._renew,
            end=self.end,
            ttl=timedelta(seconds=lease.ttl_seconds),
            exclusive=self.exclusive,
            renewed_at=sent,
            clock=self.persistence.clock,
            entropy=self.persistence.entropy,
        )
        keeping, sending = asyncio.create_task(keeper.keep()), asyncio.create_task(output.send())
        redacted = RedactedOutput(self.redactor)
        report = None
        try:
            report = await self._report_of_agent(output, redacted)
            await output.close(redacted.end())
            entry = None
            if report is not None:
                first, outputs = output.unsent
                entry = await self.reports.keep(evolve(report, first=first, outputs=outputs))
                await self.conversations.record(self.task, report, attempt=lease.number, began_at=sent)
            await self._until_sent(sending, reported=report is not None)
            if output.failure is not None:
                failed = self._said(TaskState.FAILED, error=output.failure, reason="output_refused")
                entry = await self.reports.keep(failed, instead_of=entry)
            elif entry is not None and report is not None and sending.done():
                entry = evolve(entry, report=report)  # its output need not be sent again
            if entry is None or not await self._taken(self.reports.deliver(entry)):
                await self._take_leave()
        finally:
            await cancelled(keeping, sending, *self._noting)
            if report is None or report.artifacts is None:
                self.reports.leavings.forget(str(self._place))

    async def _claim(self) -> Lease | None:
        """Our lease; ``None`` if somebody else was faster. One key for all tries: they get the same grant."""
        key = token_hex(16)
        try:
            claimed = await self.persistence.answer(lambda: self.client.worker.claim(self.worker_id, self.task.id, key))
        except CodeTetherError as error:
            self._log.debug("not_claimed", error=error.message)
            return None
        self.task, self._answers, self._environment = claimed.task, claimed.answers, claimed.environment
        self._tools = tool_access(self.client.address, claimed)
        hidden = {} if self._tools is None else {_PROOF: self._tools.token}
        self.redactor = Redactor.of(hidden | {each.name: each.value for each in claimed.secrets})
        return claimed.lease

    async def _report_of_agent(self, output: OutputSender, redacted: RedactedOutput) -> Report | None:
        """Run the agent; what to report, or ``None`` if it was ended."""
        if self._ended.is_set():
            return None
        self.started = True
        self._log.info("run_started", agent=self.task.agent_type, title=self.task.title)

        async def emit(chunk: OutputChunk) -> None:
            self._notice_session(chunk)
            if (told := redacted.feed(chunk)) is not None:
                await output.emit(told)

        agent = asyncio.ensure_future(self.runner.run(self._asked(), emit, self._asking().ask))
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait({agent, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            interrupted = not agent.done()
            await cancelled(agent)
        return self._report(agent, interrupted=interrupted)

    def _asking(self) -> Asking:
        return Asking(
            worker_id=self.worker_id,
            task=self.task.id,
            lease=self._token,
            client=self.client,
            persistence=self.persistence,
            clean=self._cleaned,
            end=self.end,
        )

    def _cleaned(self, inquiry: Inquiry) -> Inquiry:
        return rewritten(inquiry, self.redactor.whole)

    def _report(self, agent: asyncio.Future[RunOutcome], *, interrupted: bool) -> Report | None:
        if agent.cancelled():
            return None
        error = agent.exception()
        if error is None and not interrupted:
            self._session = agent.result().session or self._session
            return self._said(TaskState.COMPLETED, result=agent.result().result, reason=agent.result().reason)
        if interrupted:
            if error is not None:
                self._log.error("run_not_ended", error=str(error))
                self._ending = Ending.SUPERSEDED  # nothing can be confirmed, nor given to anybody else
            return None
        if isinstance(error, RunFailed):
            return self._said(TaskState.FAILED, error=error.error, reason=error.reason, retry=error.transient)
        self._log.error("runner_failed", exc_info=error)
        words = f"The worker failed: {type(error).__name__}: {error}"
        return self._said(TaskState.FAILED, error=words, reason="worker_error")

    def _said(
        self,
        status: TaskState,
        *,
        result: str | None = None,
        error: str | None = None,
        reason: str | None = None,
        retry: bool = False,
    ) -> Report:
        self._log.info("run_ended", status=status, reason=reason)
        return Report(
            task=self.task.id,
            lease=self._token,
            status=status,
            created_at=self.persistence.clock.now(),
            result=result and self.redactor.whole(result),
            error=error and self.redactor.whole(error),
            reason=reason,
            retry=retry,
            session=self._session or self._resumed,
            artifacts=None if self._place is None else self.reports.leavings.found(self._place),
        )

    async def _until_sent(self, sending: asyncio.Task[None], *, reported: bool) -> None:
        """Let all output arrive; a run that was ended does not wait long for it.

        An outcome does, unless the worker leaves: then the report has the output that is missing.
        """
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait({sending, ended}, return_when=asyncio.FIRST_COMPLETED)
            patient = reported and self._ending is not Ending.DRAINED
            await asyncio.wait({sending}, timeout=None if patient else _TRAILING)
        finally:
            ended.cancel()

    async def _take_leave(self) -> None:
        """The last word about a run that was ended."""
        words, id = self.client.worker, self.task.id
        if self._ending in (Ending.DRAINED, Ending.UNRENEWED):
            self._log.info("run_given_back", reason=self._ending.name.lower())
            await self._taken(self.persistence.answer(lambda: words.release(self.worker_id, id, self._token)))
        if self._ending is Ending.CANCELLED:
            self._log.info("run_stopped")
            await self._taken(self.persistence.answer(lambda: words.stopped(self.worker_id, id, self._token)))
        elif self._ending is Ending.SUPERSEDED:
            self._log.warning("run_superseded")

    async def _taken(self, word: Awaitable[object]) -> bool:
        """Whether the server takes a last word; a refusal may tell that the task was cancelled meanwhile."""
        try:
            await word
        except CodeTetherError as error:
            self._log.warning("refused", error=error.message)
            self._ending = Ending.CANCELLED if self._ending is Ending.CANCELLED else verdict(error)
            return False
        return True

    async def _post(self, chunks: Sequence[OutputChunk], first: int) -> None:
        await self.client.worker.output(self.worker_id, self.task.id, self._token, chunks, first=first)

    async def _renew(self) -> Lease:
        return await self.client.worker.renew(self.worker_id, self.task.id, self._token, session_id=self._session)

    def _notice_session(self, chunk: OutputChunk) -> None:
        """The first session that the agent names is noted at the server at once; renewals repeat it."""
        if self._session is None and (session := session_of(chunk)) is not None:
            self._session = session
            noting = asyncio.create_task(self._note_session())
            self._noting.add(noting)

    async def _note_session(self) -> None:
        try:
            await self._renew()
        except CodeTetherError as error:
            self._log.debug("session_not_noted", error=error.message)

    @property
    def _resumed(self) -> SessionId | None:
        id = self.task.metadata.get("resume_session_id")
        return SessionId(id) if id and isinstance(id, str) else None

    def _asked(self) -> Run:
        return Run(
            task=self.task.id,
            codebase=self.task.codebase_id,
            prompt=self.task.prompt,
            title=self.task.title,
            agent_type=self.task.agent_type,
            model=self.task.model,
            directory=None if self.directory is None else str(self.directory),
            artifacts=None if self._place is None else str(self._place),
            session=self._resumed,
            begun=self.task.session_id,
            metadata=self.task.metadata,
            environment=self._environment,
            tools=self._tools,
            answers=tuple(Answer(question=each.prompt, choice=each.choice, text=each.text) for each in self._answers),
        )
