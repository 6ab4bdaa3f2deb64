"""Who names blobs: tasks, sessions and the audit trail.

What is named is copied with a backup, and kept; what is not is collected. Whatever comes to keep a blob's address is
added to ``blobs_of``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Final

from attrs import frozen

from codetether_core.artifacts import BlobId
from codetether_core.audit import Filing
from codetether_core.errors import Unavailable
from codetether_core.ids import TenantId
from codetether_core.ports import SessionStore, TaskStore
from codetether_core.services.trail_filings import TrailFilings
from codetether_core.services.walking import every_session, every_task
from codetether_core.sessions import Session
from codetether_core.tasks import Task

__all__ = ["NAMED_WITHIN", "References", "blobs_of", "in_time"]

NAMED_WITHIN: Final = timedelta(minutes=1)
"""After a blob was put; later it may be taken for one that nobody names."""


def blobs_of(value: Task | Session | Filing) -> Sequence[BlobId]:
    """The blobs that it names: files and filed logs, a transcript, records that left the trail."""
    match value:
        case Task():
            return [*(artifact.blob for artifact in value.artifacts), *(segment.blob for segment in value.log)]
        case Session():
            return [] if value.transcript is None else [value.transcript]
        case Filing():
            return [BlobId(value.blob)]


def in_time(put_at: datetime, now: datetime) -> None:
    """``Unavailable`` if it is too late to name a blob that was put then: it is to be put again."""
    if now - put_at > NAMED_WITHIN:
        raise Unavailable("It took too long to note where the bytes are", hint="send them again")


@frozen
class References:
    """Goes through all that names blobs, as the store keeps it."""

    tasks: TaskStore
    sessions: SessionStore
    filings: TrailFilings

    async def of(self, tenant: TenantId) -> AsyncGenerator[BlobId, None]:
        """Every blob that was named when this began, and is still, in no order; some several times.

        As ``TrailFilings.of`` it raises where not all that there is can be known.
        """
        async with (
            aclosing(every_task(self.tasks, tenant)) as tasks,
            aclosing(every_session(self.sessions, tenant)) as sessions,
            aclosing(self.filings.of(tenant)) as filings,
        ):
            async for task in tasks:
                for id in blobs_of(task):
                    yield id
            async for session in sessions:
                for id in blobs_of(session):
                    yield id
            async for filing in filings:
                for id in blobs_of(filing):
                    yield id
