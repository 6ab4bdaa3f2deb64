"""The worker: one stream held, offers taken up while there are slots, and an orderly leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from attrs import define, field

from codetether_adapters.client import AsyncClient, CancelNotice, Notice, Offer, TaskView
from codetether_adapters.system import CheckoutBusy
from codetether_apps.holding.verdicts import Ending, Persistence
from codetether_apps.process import Stopping
from codetether_apps.working.checkouts import Checkouts
from codetether_apps.working.conversations import Conversations
from codetether_apps.working.registration import Registration
from codetether_apps.working.reports import Reports
from codetether_apps.working.run import TaskRun
from codetether_core.errors import CodeTetherError, PermissionDenied, Unauthenticated
from codetether_core.ids import TaskId
from codetether_core.ports import Runner
from codetether_core.redaction import Redactor
from codetether_core.tasks.matching import BUILT_IN_AGENTS

__all__ = ["Worker"]

_log = structlog.get_logger(__name__)

_OFFERS_KEPT: Final = 100
_KILLING: Final = timedelta(seconds=12)
"""The time that ending an agent's tree may take: its grace, and more for what ignores it."""

_FAREWELL: Final = 1.0


@define(eq=False, kw_only=True)
class Worker:
    """Takes what it is offered, as many tasks at once as it has slots. ``run`` is its life."""

    registration: Registration
    client: AsyncClient
    runners: Mapping[str, Runner]
    checkouts: Checkouts
    reports: Reports
    conversations: Conversations
    persistence: Persistence
    poll_interval: timedelta
    output_wait: timedelta
    output_batch: int
    drain: timedelta
    _offered: dict[TaskId, TaskView] = field(factory=dict, init=False)
    _runs: dict[TaskId, TaskRun] = field(factory=dict, init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set, init=False)
    _draining: bool = field(default=False, init=False)
    _known: bool = field(default=False, init=False)

    async def run(self, stopping: Stopping) -> None:
        """Work until asked to stop; ``Unauthenticated`` or ``PermissionDenied`` if the server will not have us."""
        replaying = asyncio.create_task(self.reports.replay())
        telling = asyncio.create_task(self.conversations.run())
        connecting = asyncio.create_task(self._stay_connected())
        trying = asyncio.create_task(self._try_again())
        asked = asyncio.create_task(stopping.wait())
        try:
            done, _ = await asyncio.wait({connecting, asked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (connecting, trying, asked):
                task.cancel()
            await asyncio.wait({connecting, trying, asked})
            await self._leave()
            for task in (replaying, telling):
                task.cancel()
            await asyncio.wait({replaying, telling})
            with suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL):
                    await self.conversations.sync()
        if connecting in done:
            connecting.result()

    def redactors(self) -> Iterable[Redactor]:
        """Each knows what one of the runs under way was handed."""
        return [run.redactor for run in self._runs.values() if run.redactor]

    async def _stay_connected(self) -> None:
        """Hold the stream; while it cannot be had, poll."""
        await self.registration.learn(self.runners)
        failures = 0
        while True:
            try:
                await self.registration.announce()
                self._known = True
                self.conversations.hurry()
                async for notice in self._stream():
                    failures = 0
                    self._hear(notice)
            except (Unauthenticated, PermissionDenied) as error:
                if not self._known:
                    raise
                _log.error("not_welcome", error=error.message)
            except CodeTetherError as error:
                _log.warning("disconnected", error=error.message)
            await self._poll()
            await self.persistence.pause(failures, self.poll_interval)
            failures += 1

    def _stream(self) -> AsyncIterator[Notice]:
        told = self.registration
        return self.client.worker.stream(
            told.worker_id,
            told.name,
            codebases=told.ids,
            capabilities=told.capabilities,
            agents=told.agents,
            slots=told.slots,
        )

    async def _poll(self) -> None:
        """Look for tasks without the stream."""
        try:
            for task in await self.client.worker.poll(self.registration.worker_id, self.registration.name):
                self._consider(task)
        except CodeTetherError as error:
            _log.debug("not_polled", error=error.message)

    async def _try_again(self) -> None:
        """A checkout that somebody else held may be free by now."""
        while True:
            await self.persistence.clock.sleep(self.poll_interval)
            self._fill()

    def _hear(self, notice: Notice) -> None:
        match notice:
            case Offer(task):
                self._consider(task)
            case CancelNotice(id) if (run := self._runs.get(TaskId(id))) is not None:
                run.end(Ending.CANCELLED)
            case _:
                pass

    def _consider(self, task: TaskView) -> None:
        if self._draining or not self.registration.takes(task):
            return
        self._offered.pop(task.id, None)
        self._offered[task.id] = task
        while len(self._offered) > _OFFERS_KEPT:
            del self._offered[next(iter(self._offered))]
        self._fill()

    def _fill(self) -> None:
        """Begin as many of the offered tasks as there are free slots and checkouts, the best first.

        A task that is offered again while its last run here takes its leave waits for the end of that.
        """
        for task in sorted(self._offered.values(), key=_rank):
            if len(self._runs) >= self.registration.slots or self._draining:
                return
            if task.id in self._runs:
                continue
            try:
                run = self._begun(task)
            except CheckoutBusy as busy:
                _log.debug("checkout_busy", task_id=task.id, error=busy.message)
                continue
            except CodeTetherError as error:
                _log.warning("checkout_not_entered", task_id=task.id, error=error.message, hint=error.hint)
                continue
            del self._offered[task.id]
            self._runs[task.id] = run
            started = asyncio.create_task(self._finish(run))
            self._tasks.add(started)
            started.add_done_callback(self._tasks.discard)

    def _begun(self, task: TaskView) -> TaskRun:
        """A run of the task, its place held; ``CheckoutBusy``, ``CheckoutNotLocked``."""
        directory, exclusive = self.registration.directory(task), False
        if task.agent_type not in BUILT_IN_AGENTS:
            if directory is None:
                directory = self.checkouts.improvise(task.id)
            else:
                self.checkouts.enter(task.id, directory)
                exclusive = True
        return TaskRun(
            task=task,
            runner=self.runners[task.agent_type],
            directory=directory,
            exclusive=exclusive,
            worker_id=self.registration.worker_id,
            client=self.client,
            reports=self.reports,
            conversations=self.conversations,
            persistence=self.persistence,
            output_wait=self.output_wait,
            output_batch=self.output_batch,
        )

    async def _finish(self, run: TaskRun) -> None:
        id = run.task.id
        try:
            await run.run()
        except Exception:
            _log.exception("run_lost", task_id=id)
        finally:
            self.checkouts.leave(id)
            del self._runs[id]
            self._fill()

    async def _leave(self) -> None:
        """Let runs finish for a while, then end them and give their tasks back; then sign off."""
        self._draining = True
        if self._tasks:
            _log.info("draining", runs=len(self._tasks))
            for run in self._runs.values():
                if not run.started:
                    run.end(Ending.DRAINED)
            await self._wait(max(self.drain - _KILLING, self.drain / 2))
            for run in tuple(self._runs.values()):
                run.end(Ending.DRAINED)
            await self._wait(_KILLING)
            for task in tuple(self._tasks):
                task.cancel()
            await self._wait(_KILLING)
        try:
            async with asyncio.timeout(_FAREWELL):
                await self.client.worker.unregister(self.registration.worker_id)
        except (TimeoutError, CodeTetherError) as error:
            _log.debug("not_unregistered", error=str(error))

    async def _wait(self, patience: timedelta) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience.total_seconds())


def _rank(task: TaskView) -> tuple[int, datetime, TaskId]:
    """Priority, highest first, then creation."""
    return -task.priority, task.created_at or datetime.max.replace(tzinfo=UTC), task.id
