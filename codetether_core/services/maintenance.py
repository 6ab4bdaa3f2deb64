"""What time alone brings about: lapses, deadlines, wake-ups. Any replica may do it; the swap decides."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from attrs import Factory, define

from codetether_core.errors import Conflict, NotConfigured, NotFound, Unavailable, Undecipherable
from codetether_core.ids import TenantId
from codetether_core.ports import Clock, EventLog, TaskQuery, TaskStore
from codetether_core.services.questions import Questions
from codetether_core.services.task_logs import TaskLogs
from codetether_core.services.task_writer import TaskWriter
from codetether_core.services.transcripts import Transcripts
from codetether_core.tasks import Task, TaskState, expire, lapse, wake

__all__ = ["Maintenance", "Sweep"]

_BATCH: Final = 200
_RUNNING: Final = frozenset({TaskState.RUNNING})
_SHORTEST_PAUSE: Final = timedelta(milliseconds=50)
_FORGET_EVERY: Final = timedelta(minutes=1)
_FORGET_BATCH: Final = 500
_FILE_BATCH: Final = 20
"""So few, for a store may keep the event loop for as long as they take."""


@define
class Sweep:
    """What the reaper last did: when, and how many of what."""

    at: datetime | None = None
    checked: int = 0
    lapsed: int = 0
    failed: int = 0
    woken: int = 0


@define(eq=False)
class Maintenance:
    """The reaper. ``interval`` bounds how late it notices; events older than ``retention`` are forgotten.

    Before they are, the logs of tasks are filed away, if there is a place for that, and so are sessions as old.
    """

    writer: TaskWriter
    tasks: TaskStore
    log: EventLog
    questions: Questions
    logs: TaskLogs | None
    transcripts: Transcripts | None
    clock: Clock
    interval: timedelta = timedelta(seconds=10)
    retention: timedelta = timedelta(days=30)
    last: Sweep = Factory(Sweep)
    _forgot_at: datetime | None = None
    _rests_until: datetime | None = None

    async def run(self) -> None:
        """Sweep whenever something is due, and at least every ``interval``, until cancelled."""
        while True:
            if self._rests_until is not None:
                await self.clock.sleep(self._rests_until - self.clock.now())
                self._rests_until = None
            wait = self.interval
            with suppress(Unavailable):  # the probes tell of it; the next sweep may find the store again
                await self.sweep()
                if await self.forget():
                    wait = _SHORTEST_PAUSE
                if due := await self.tasks.next_due():
                    wait = min(wait, due - self.clock.now())
            await self.clock.sleep(max(wait, _SHORTEST_PAUSE))

    def rest(self, duration: timedelta) -> None:
        """Do nothing for that long: who was cut off with this process may speak before anything lapses."""
        self._rests_until = self.clock.now() + duration

    async def sweep(self) -> Sweep:
        """Act on every task that is due."""
        done = Sweep(at=self.clock.now())
        while batch := await self.tasks.overdue(self.clock.now(), _BATCH):
            changed = 0
            for task in batch:
                new = task
                # Somebody else was faster or erased it, or its tenant's keys are missing: others need not wait. What is
                # still due is due in the next sweep.
                with suppress(Conflict, NotConfigured, NotFound, Undecipherable):
                    new = await self._act(task)
                changed += new.version != task.version
                done.lapsed += new.lapsed and not task.lapsed
                done.failed += new.state is TaskState.FAILED
                done.woken += new.ready and not task.ready and not new.lapsed
            done.checked += len(batch)
            if not changed:
                break
        self.last = done
        return done

    async def silent(self, tenant: TenantId, timeout: timedelta) -> Sequence[Task]:
        """The running tasks about which their holder has said nothing for that long."""
        now, found, after = self.clock.now(), list[Task](), 0
        while page := await self.tasks.list(tenant, TaskQuery(states=_RUNNING, limit=_BATCH, after=after)):
            found += [task for task in page if task.holder and now - task.holder.spoke_at >= timeout]
            after += len(page)
        return found

    @property
    def alive(self) -> bool:
        """Whether the reaper has swept lately, or rests."""
        if self._rests_until is not None:
            return True
        return self.last.at is not None and self.clock.now() - self.last.at < 3 * self.interval

    async def _act(self, task: Task) -> Task:
        if task.answer_by is not None and task.answer_by <= self.clock.now():
            await self.questions.expire_due(task)
        return await self.writer.apply(task.tenant, task.id, self._due_change)

    def _due_change(self, task: Task) -> Task:
        """The task as it has to be by now; the same value if nothing is due any more."""
        now = self.clock.now()
        if task.due_at is None or now < task.due_at or task.ended:
            return task
        holder = None if task.lapsed else task.holder
        if holder and holder.run_deadline <= now:
            return expire(task, now, reason="run_deadline", error="The run took longer than it was given")
        if holder and holder.expires_at <= now:
            return lapse(task, now)
        if task.state is not TaskState.PENDING:
            return task
        if task.not_before is not None and task.not_before <= now:
            return wake(task, now)
        if task.spec.start_by is not None and task.spec.start_by <= now and task.grant is None:
            return expire(task, now, reason="start_by", error="Nobody started it in time")
        return task

    async def forget(self) -> bool:
        """Forget a batch of events that are too old, if it is time to; whether there are likely more."""
        now = self.clock.now()
        if self._forgot_at is not None and now - self._forgot_at < _FORGET_EVERY:
            return False
        page = await self.log.oldest(now - self.retention, _FORGET_BATCH)
        if page.records:
            if self.logs is not None:
                await self.logs.file(page.records)
            await self.log.trim(page.cursor)
        if page.more:
            return True
        if self.transcripts is not None and await self.transcripts.file(now - self.retention, _FILE_BATCH):
            return True
        self._forgot_at = now
        return False
