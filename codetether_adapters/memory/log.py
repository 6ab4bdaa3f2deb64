"""The log in memory: every topic, and every wider one, has its list of records."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice, takewhile
from operator import attrgetter

from codetether_adapters.memory.audit import MemoryAudit
from codetether_adapters.tail import (
    Entry,
    LocalNotifier,
    encoded,
    fill,
    following,
    last,
    needle,
    of_this_log,
    position,
    widening,
)
from codetether_core.errors import StaleLease, VersionConflict
from codetether_core.events import AUDIT, Cursor, Event, Guard, OutputHead, Page, Record, Topic, erased_by
from codetether_core.ids import TaskId, TenantId
from codetether_core.ports import PAGE_BYTES
from codetether_core.tasks import Task

__all__ = ["MemoryLog"]

_position = attrgetter("position")


class MemoryLog:
    """The whole log (an ``EventLog``); the stores write to it with ``commit``."""

    def __init__(self, tasks: Mapping[TaskId, Task], notifier: LocalNotifier, audit: MemoryAudit, epoch: str) -> None:
        self._tasks = tasks
        self._notifier = notifier
        self._audit = audit
        self._epoch = epoch
        self._start = self._head = 0
        self._all: list[Record] = []
        self._topics: dict[Topic, list[Record]] = {}
        self._numbers: Counter[Topic] = Counter()
        self._outputs: dict[TaskId, OutputHead] = {}

    def commit(self, entries: Iterable[Entry], wake: Iterable[Topic] = ()) -> None:
        """Add the events, then ring the bells of their topics and of ``wake``."""
        rung = [*wake]
        for event, body in entries:
            if event.topic.scope == AUDIT:
                self._audit.add(event.topic.tenant, body)
                continue
            for gone in erased_by(event.kind, event.topic):
                self._erase(gone)
            self._head += 1
            self._numbers[event.topic] += 1
            record = Record(self._head, self._numbers[event.topic], event.topic, event.kind, event.at, body)
            self._all.append(record)
            for topic in widening(event.topic):
                self._topics.setdefault(topic, []).append(record)
            rung.append(event.topic)
        self._notifier.ring(rung)

    def knows(self, topic: Topic) -> bool:
        """Whether there ever was an event of it."""
        return topic in self._numbers

    def forget_output(self, task: TaskId) -> None:
        """The head of a task's output."""
        self._outputs.pop(task, None)

    async def append(self, events: Sequence[Event], guard: Guard | None = None) -> None:
        """Add the events if the guard allows, those that are new."""
        entries = encoded(events)
        if guard is not None:
            entries = self._admitted(entries, guard)
        self.commit(entries)

    async def output_head(self, tenant: TenantId, task: TaskId) -> OutputHead:
        """As it was left."""
        found = self._tasks.get(task)
        return self._outputs.get(task, OutputHead()) if found and found.tenant == tenant else OutputHead()

    async def read(
        self, topic: Topic, after: Cursor, *, limit: int = PAGE_BYTES, kinds: Collection[str] | None = None
    ) -> Page:
        """A page of the topic's list."""
        head = await self.head()
        first = position(after, start=await self.start(), head=head)
        return fill(following(self._topics.get(topic, ()), first), head, limit, kinds)

    async def head(self) -> Cursor:
        """After the last record."""
        return Cursor(self._epoch, self._head)

    async def start(self) -> Cursor:
        """Before the first that is kept."""
        return Cursor(self._epoch, self._start)

    async def slice(self, topic: Topic, kinds: Collection[str], *, offset: int, limit: int) -> Sequence[Record]:
        """Counted among the topic's kept records of these kinds."""
        return list(islice(self._of(topic, kinds), offset, offset + limit))

    async def count(self, topic: Topic, kinds: Collection[str]) -> int:
        """Of the kept records."""
        return sum(1 for _ in self._of(topic, kinds))

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
        """From the end of the topic's list."""
        return last(self._backwards(topic, kinds, after, before), limit, size)

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
        """From the end of the tenant's list."""
        wanted = needle(text)
        backwards = self._backwards(Topic(tenant), kinds, after, before)
        return last((record for record in backwards if wanted in record.body.lower()), limit, size)

    async def oldest(self, before: datetime, limit: int) -> Page:
        """The beginning of the list."""
        found = [*takewhile(lambda record: record.at < before, islice(self._all, limit))]
        return Page((*found,), Cursor(self._epoch, found[-1].position if found else self._start), len(found) == limit)

    async def trim(self, through: Cursor) -> int:
        """Cut the beginning off."""
        of_this_log(through, self._epoch)
        gone = bisect_right(self._all, through.position, key=_position)
        if gone:
            self._start = self._all[gone - 1].position
            for topic in {topic for record in self._all[:gone] for topic in record.topic.widening()}:
                records = self._topics[topic]
                del records[: bisect_right(records, self._start, key=_position)]
            del self._all[:gone]
        return gone

    def _erase(self, erased: Topic) -> None:
        """Everything that it has had."""
        if erased in self._topics:
            self._all = [record for record in self._all if record.topic != erased]
            for topic in set(erased.widening()):
                self._topics[topic] = [record for record in self._topics[topic] if record.topic != erased]

    def _admitted(self, entries: list[Entry], guard: Guard) -> list[Entry]:
        task = self._tasks.get(guard.task)
        if task is None or task.fence != guard.fence:
            raise StaleLease("The lease that these events were written under is no longer in force", id=guard.task)
        head = self._outputs.get(guard.task, OutputHead())
        if guard.swap is not None:
            if head != guard.swap.old:
                raise VersionConflict("Other output came first", id=guard.task)
            self._outputs[guard.task] = guard.swap.new
        elif head.held and head.grant == guard.grant:
            raise VersionConflict("Something was held back", id=guard.task)
        if guard.first is None:
            return entries
        known = max(head.following - guard.first, 0) if head.grant == guard.grant else 0
        if known < len(entries):
            self._outputs[guard.task] = OutputHead(guard.grant, guard.first + len(entries))
        return entries[known:]

    def _backwards(self, topic: Topic, kinds: Collection[str], after: int, before: int | None) -> Iterator[Record]:
        records = self._topics.get(topic, [])
        end = len(records) if before is None else bisect_left(records, before, key=_position)
        for index in range(end - 1, -1, -1):
            record = records[index]
            if record.position <= after:
                return
            if record.kind in kinds:
                yield record

    def _of(self, topic: Topic, kinds: Collection[str]) -> Iterator[Record]:
        return (record for record in self._topics.get(topic, []) if record.kind in kinds)
