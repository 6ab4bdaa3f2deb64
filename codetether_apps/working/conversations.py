"""What was said in this worker's runs, kept on its machine and told to the server, whenever that is there.

A run is two turns of a session: the task's prompt and the agent's answer. The session is the agent's own where it
names one, else the task itself. The prompt has the id by which the server knows it already, so nothing is told twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from attrs import define, evolve, field

from codetether_adapters.client import AsyncClient, TaskView
from codetether_adapters.outbox import Report
from codetether_adapters.session_cache import ChangedSession, SessionCache
from codetether_apps.holding.verdicts import is_refusal
from codetether_core.access import DEFAULT_TENANT
from codetether_core.errors import CodeTetherError, NotFound
from codetether_core.ids import SessionId, WorkerId
from codetether_core.sessions import Session, SessionMessage
from codetether_core.tasks import TaskState
from codetether_core.tasks.matching import BUILT_IN_AGENTS

__all__ = ["Conversations"]

_INTERVAL: Final = 60.0
_AT_ONCE: Final = 512 * 1024
"""The most text that one telling has, unless a single message has more."""

_log = structlog.get_logger(__name__)


@define(eq=False, kw_only=True)
class Conversations:
    """One worker's sessions. Neither a full disk nor a silent server keeps a run from ending."""

    worker_id: str
    client: AsyncClient
    cache: SessionCache
    _news: asyncio.Event = field(factory=asyncio.Event, init=False)

    async def record(self, task: TaskView, report: Report, *, attempt: int, began_at: datetime) -> None:
        """Keep what a run has said; ``began_at`` is when it began by this machine's clock, as the report's time is."""
        if task.agent_type in BUILT_IN_AGENTS:
            return
        try:
            await asyncio.to_thread(self._keep, task, report, attempt, report.created_at - began_at)
        except CodeTetherError as error:
            _log.error("conversation_not_kept", task_id=task.id, error=error.message, hint=error.hint)
        self.hurry()

    def hurry(self) -> None:
        """Tell the server now: there is news, or it is back."""
        self._news.set()

    async def run(self) -> None:
        """Tell the server what it does not know, now, whenever there is news, and every minute, until cancelled."""
        while True:
            self._news.clear()
            await self.sync()
            with suppress(TimeoutError):
                async with asyncio.timeout(_INTERVAL):
                    await self._news.wait()

    async def sync(self) -> None:
        """Tell the server what it does not know, as far as it listens."""
        try:
            while changes := await asyncio.to_thread(self.cache.changed_since_sync):
                for changed in changes:
                    await self._told(changed)
                    await asyncio.to_thread(self.cache.mark_synced, changed)
        except CodeTetherError as error:
            _log.warning("conversations_not_told", error=error.message)

    async def _told(self, changed: ChangedSession) -> None:
        """Tell one session. What the server refuses it would refuse again: that is forgotten."""
        session = changed.session
        try:
            await self.client.worker.sync_sessions(session.codebase, self.worker_id, [_session_words(session)])
            for batch in _batches(changed.messages):
                words = [_message_words(message) for message in batch]
                await self.client.worker.sync_messages(session.codebase, session.id, self.worker_id, words)
        except CodeTetherError as error:
            if not is_refusal(error) and not (isinstance(error, NotFound) and error.code == "codebase_not_found"):
                raise
            _log.warning("conversation_refused", session_id=session.id, error=error.message)

    def _keep(self, task: TaskView, report: Report, attempt: int, took: timedelta) -> None:
        """Write both turns down, by the server's time of the start: clocks differ, and turns must not."""
        started = task.started_at or report.created_at - took
        asked, answered = task.created_at or started, started + took
        session = Session(
            id=report.session or SessionId(task.id),
            tenant=DEFAULT_TENANT,  # whose it is only the server knows
            codebase=task.codebase_id,
            created_at=asked,
            updated_at=answered,
            synced_at=answered,
            title=task.title,
            agent=task.agent_type,
            worker=WorkerId(self.worker_id),
        )
        if (known := self.cache.get(session)) is not None:
            session = evolve(known, updated_at=max(known.updated_at, answered))
        elif "resume_session_id" in task.metadata:
            session = evolve(session, title="")  # the server has its name, which is not this task's
        prompt = _turn(session, f"prompt_{task.id}", "user", asked, task.prompt or task.title, task)
        if report.status == TaskState.COMPLETED:
            role, words = "assistant", report.result or ""
        else:
            role, words = "system", f"Failed ({report.reason}): {report.error}"
        answer = _turn(session, f"answer_{task.id}_{attempt}", role, answered, words, task)
        self.cache.upsert(session, [prompt, answer])


def _turn(session: Session, id: str, role: str, at: datetime, words: str, task: TaskView) -> SessionMessage:
    return SessionMessage(
        id=id,
        session=session.id,
        role=role,
        created_at=at,
        agent=task.agent_type,
        model=task.model,
        parts=({"type": "text", "text": words},),
    )


def _batches(messages: Sequence[SessionMessage]) -> Iterator[Sequence[SessionMessage]]:
    batch: list[SessionMessage] = []
    size = 0
    for message in messages:
        weight = sum(len(part["text"]) for part in message.parts)
        if batch and size + weight > _AT_ONCE:
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += weight
    if batch:
        yield batch


def _session_words(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "title": session.title,
        "agent": session.agent,
        "created": session.created_at,
        "updated": session.updated_at,
    }


def _message_words(message: SessionMessage) -> dict[str, Any]:
    return {
        "id": message.id,
        "role": message.role,
        "time": {"created": message.created_at},
        "agent": message.agent,
        "model": message.model,
        "parts": message.parts,
    }
