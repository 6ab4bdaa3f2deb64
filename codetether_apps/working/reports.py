"""Outcomes, which are on the disk before they are sent and until the server has answered, in this life or the next."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog
from attrs import evolve, frozen

from codetether_adapters.client import AsyncClient
from codetether_adapters.outbox import Entry, Outbox, Report
from codetether_apps.holding.verdicts import Persistence, is_refusal
from codetether_apps.working.leavings import LeavingRefused, Leavings
from codetether_core.errors import CodeTetherError, StaleLease
from codetether_core.tasks import TaskState

__all__ = ["Reports"]

_log = structlog.get_logger(__name__)


@frozen(kw_only=True)
class Reports:
    """One worker's outcomes."""

    worker_id: str
    client: AsyncClient
    outbox: Outbox
    persistence: Persistence
    leavings: Leavings

    async def keep(self, report: Report, *, instead_of: Entry | None = None) -> Entry:
        """Write it down. A disk that refuses is told of, and the report is sent all the same.

        ``instead_of`` is forgotten first: a crash between the two leaves a run without a report, which is run again.
        """
        if instead_of is not None:
            await self._acknowledge(instead_of)
        try:
            return Entry(await asyncio.to_thread(self.outbox.put, report), report)
        except CodeTetherError as error:
            _log.error("report_not_kept", task_id=report.task, error=error.message, hint=error.hint)
            return Entry("", report)

    async def deliver(self, entry: Entry) -> None:
        """Send it until the server has answered. A refusal is raised, and the report forgotten: it would not change."""
        try:
            await self.persistence.answer(lambda: self._send(entry.report))
        except CodeTetherError as error:
            if is_refusal(error):
                await self._forget(entry)
            raise
        await self._forget(entry)

    async def replay(self) -> None:
        """Deliver what an earlier life of this worker left behind."""
        for path in await asyncio.to_thread(self.outbox.quarantined):
            _log.warning("report_unreadable", path=str(path))
        for entry in await asyncio.to_thread(self.outbox.pending):
            try:
                await self.deliver(entry)
                _log.info("report_replayed", task_id=entry.report.task, status=entry.report.status)
            except CodeTetherError as error:
                _log.warning("report_came_too_late", task_id=entry.report.task, error=error.message)
                if isinstance(error, StaleLease) and error.details.get("state") == TaskState.CANCELLED:
                    await self._confirm_stop(entry.report)

    async def _confirm_stop(self, report: Report) -> None:
        """The run has ended, cancelled or not, and so has all that it started."""
        try:
            await self.persistence.answer(
                lambda: self.client.worker.stopped(self.worker_id, report.task, report.lease or "")
            )
        except CodeTetherError as error:
            _log.info("stop_not_confirmed", task_id=report.task, error=error.message)

    async def _send(self, report: Report) -> None:
        words, token = self.client.worker, report.lease or ""
        with suppress(StaleLease):  # so is the outcome then, which is kept as evidence where it is said
            if report.outputs:
                await words.output(self.worker_id, report.task, token, report.outputs, first=report.first)
            try:
                await self.leavings.send(report.artifacts, report.task, token)
            except LeavingRefused as refusal:
                error, reason = refusal.message, refusal.code
                report = evolve(report, status=TaskState.FAILED, error=error, reason=reason, retry=False)
        if report.status == TaskState.COMPLETED:
            await words.complete(
                self.worker_id, report.task, token, report.result, reason=report.reason, session_id=report.session
            )
        else:
            await words.fail(
                self.worker_id,
                report.task,
                token,
                report.error or "The agent failed",
                reason=report.reason or "agent_failed",
                retry=report.retry,
                session_id=report.session,
            )

    async def _forget(self, entry: Entry) -> None:
        await self._acknowledge(entry)
        await asyncio.to_thread(self.leavings.forget, entry.report.artifacts)

    async def _acknowledge(self, entry: Entry) -> None:
        if not entry.id:
            return
        try:
            await asyncio.to_thread(self.outbox.acknowledge, entry.id)
        except CodeTetherError as error:  # it is delivered again in the next life, which changes nothing
            _log.warning("outbox_refused", error=error.message)
