"""The one log: every change and every chunk of output, in one order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from codetether_core.events import Cursor, Event, Guard, OutputHead, Page, Record, Topic
from codetether_core.ids import TaskId, TenantId

__all__ = ["PAGE_BYTES", "EventLog"]

PAGE_BYTES = 256 * 1024


class EventLog(Protocol):
    """Append and read. A reader at position n of a topic never later finds an event before n.

    An event that erases, whoever appends it, takes the records of the topics that it names (``erased_by``) with it, in
    the same transaction: nobody finds any of them any more, neither in this process nor in another that has come by it.
    """

    async def append(self, events: Sequence[Event], guard: Guard | None = None) -> None:
        """Add events, and wake their topics' listeners after the commit (shielded from the caller's cancellation).

        With a guard: ``StaleLease`` if the task's fence reads otherwise by now; events whose ordinals the log
        already has of that grant are left out; a batch that begins past the next ordinal is taken as it is.
        ``VersionConflict`` where the guard swaps the head of the output, and that reads otherwise by now; and where
        it does not, but something is held back of what was said under that grant.
        """
        ...

    async def output_head(self, tenant: TenantId, task: TaskId) -> OutputHead:
        """How far a task's output has come, as the last append that counted left it; an empty head if none did."""
        ...

    async def read(
        self, topic: Topic, after: Cursor, *, limit: int = PAGE_BYTES, kinds: Collection[str] | None = None
    ) -> Page:
        """The records of a topic after the cursor, at most ``limit`` bytes of bodies (one record at least).

        ``CursorUnknown`` for another epoch, a position beyond the head, or one older than what is kept.
        The page's cursor may be past its last record: what lies between is known to concern nobody on this topic.
        """
        ...

    async def head(self) -> Cursor:
        """The cursor after the last record there is."""
        ...

    async def start(self) -> Cursor:
        """The cursor before the first record that is kept."""
        ...

    async def slice(self, topic: Topic, kinds: Collection[str], *, offset: int, limit: int) -> Sequence[Record]:
        """Records of these kinds by their ordinal among them, oldest first: for readers that count, not follow."""
        ...

    async def count(self, topic: Topic, kinds: Collection[str]) -> int:
        """How many records of these kinds the topic has."""
        ...

    async def latest(
        self,
        topic: Topic,
        kinds: Collection[str],
        limit: int,
        *,
        after: int = 0,
        before: int | None = None,
        size: int | None = None,
    ) -> Sequence[Record]:
        """The last records of these kinds between two positions (both excluded), oldest first.

        Fewer than ``limit``, the last of them, where their bodies have more than ``size`` bytes (one at least).
        """
        ...

    async def search(
        self,
        tenant: TenantId,
        text: str,
        kinds: Collection[str],
        limit: int,
        *,
        after: int = 0,
        before: int | None = None,
        size: int | None = None,
    ) -> Sequence[Record]:
        """As ``latest``, of those whose body contains the text (as JSON writes it, ignoring ASCII case)."""
        ...

    async def oldest(self, before: datetime, limit: int) -> Page:
        """Up to ``limit`` of the oldest records there are, of all tenants, as far as they are from before that moment.

        Those of different shards come in no order; the page's cursor is after all of them.
        """
        ...

    async def trim(self, through: Cursor) -> int:
        """Forget all records up to that cursor, one that ``oldest`` gave; how many went now.

        Their positions are not given out again. ``CursorUnknown`` for one of another epoch.
        """
        ...
