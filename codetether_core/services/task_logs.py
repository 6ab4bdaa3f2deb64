"""Each task's whole log: what the one log still has of it, and before that what was filed away as blobs.

The one log forgets what is older than its retention. Before it does, whatever a task's topic has is written to a blob
and named by the task, all of it at once: a task that has ended is filed in one piece. Who was filed already is told by
the numbers of its events, which have no gaps.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Final, TypeVar

from attrs import define, field, frozen

from codetether_core.artifacts import LogSegment
from codetether_core.errors import NotFound
from codetether_core.events import Record, Topic
from codetether_core.ids import TaskId, TenantId
from codetether_core.ports import BlobStore, Clock, EventLog, TaskStore
from codetether_core.services.leaving import Leaving
from codetether_core.services.log_lines import compressed, decompressed, line_of, record_of
from codetether_core.services.references import in_time
from codetether_core.services.task_writer import TASK_KINDS, TaskWriter
from codetether_core.services.watching import Resync, Watching
from codetether_core.tasks import OUTPUT_KINDS, Task, filed

__all__ = ["TaskLogs"]

T = TypeVar("T")

_STEP: Final = 100


@frozen
class TaskLogs:
    """Files logs away, and reads them as if nothing had happened."""

    writer: TaskWriter
    tasks: TaskStore
    log: EventLog
    blobs: BlobStore
    watching: Watching
    leaving: Leaving
    clock: Clock

    async def file(self, leaving: Iterable[Record]) -> None:
        """Keep the logs of all tasks that these records are about: the one log is about to forget them."""
        reach: dict[tuple[TenantId, TaskId], int] = {}
        for record in leaving:
            if record.kind in TASK_KINDS:
                task = record.topic.tenant, TaskId(record.topic.subject)
                reach[task] = max(reach.get(task, 0), record.number)
        for (tenant, id), number in reach.items():
            try:
                found = await self.tasks.get(tenant, id)
            except NotFound:  # events of a task that was never there, or of another program's
                continue
            if found.filed_to < number:
                await self._file(found)

    async def lines(self, task: Task) -> AsyncGenerator[bytes, None]:
        """Every event there is, in order, as lines of JSON."""
        told = 0
        while True:
            async with aclosing(self._after(task, told)) as source:
                async for record in source:
                    if record.number > told + 1 and (await self._again(task)).filed_to > told:
                        break
                    yield line_of(record)
                    told = record.number
            task = await self._again(task)
            if task.filed_to <= told:
                return

    async def count(self, task: Task) -> int:
        """How many pieces of output there are."""

        async def counted(task: Task) -> int:
            live = await self.log.count(_topic(task), OUTPUT_KINDS)
            return live - await self._twice(task) + _outputs(task)

        return await self._settled(task, counted)

    async def output(self, task: Task, *, offset: int, limit: int, size: int) -> Sequence[Record]:
        """Up to ``limit`` pieces of output from the ``offset``-th on, fewer if they have more than ``size`` bytes."""
        return await self._settled(task, lambda task: self._output(task, offset, _Found(limit, size)))

    async def filed(self, task: Task) -> AsyncGenerator[Record, None]:
        """What was filed away."""
        for segment in task.log:
            async with self.blobs.open(task.tenant, segment.blob) as chunks, aclosing(decompressed(chunks)) as lines:
                async for line in lines:
                    yield record_of(line, _topic(task))

    async def _output(self, task: Task, offset: int, found: _Found) -> Sequence[Record]:
        if offset < (filed_away := _outputs(task)):
            skipped = 0
            async with aclosing(self.filed(task)) as source:
                async for record in source:
                    if record.kind in OUTPUT_KINDS:
                        skipped += 1
                        if skipped > offset and found.take(record):
                            return found.records
        start = max(offset - filed_away, 0) + await self._twice(task)
        while True:
            step = min(_STEP, found.limit - len(found.records))
            records = await self.log.slice(_topic(task), OUTPUT_KINDS, offset=start, limit=step)
            if any(found.take(record) for record in records) or len(records) < step:
                return found.records
            start += len(records)

    async def _file(self, task: Task) -> None:
        """Write what follows the task's last segment; somebody else may do the same, and one of us is named."""
        seen = _Seen()
        async with aclosing(self._kept(task)) as source:
            blob = await self.blobs.put(task.tenant, compressed(seen.watch(source)))
        put_at = self.clock.now()
        if seen.first == task.filed_to + 1 and not seen.gap:
            segment = LogSegment(first=seen.first, last=seen.last, outputs=seen.outputs, blob=blob)

            def named(task: Task) -> Task:
                in_time(put_at, now := self.clock.now())
                return filed(task, segment, now)

            try:
                await self.writer.apply(task.tenant, task.id, named)
            except NotFound:  # somebody erased it meanwhile
                await self.leaving.note(task.tenant, task.spec.codebase, [blob], task=task.id)

    async def _settled(self, task: Task, read: Callable[[Task], Awaitable[T]]) -> T:
        """What is read of a task whose log is not filed away meanwhile: it is filed before it is forgotten."""
        while True:
            found = await read(task)
            fresh = await self._again(task)
            if fresh.filed_to == task.filed_to:
                return found
            task = fresh

    async def _again(self, task: Task) -> Task:
        return await self.tasks.get(task.tenant, task.id)

    async def _after(self, task: Task, number: int) -> AsyncGenerator[Record, None]:
        """What follows the event of this number, as far as this version of the task knows where it is."""
        for part in (self.filed(task), self._kept(task)):
            async with aclosing(part) as source:
                async for record in source:
                    if record.number > number:
                        yield record

    async def _kept(self, task: Task) -> AsyncGenerator[Record, None]:
        """What the one log has of the task besides what was filed."""
        async with aclosing(self.watching.replay(_topic(task), kinds=TASK_KINDS)) as pages:
            async for page in pages:
                for record in () if isinstance(page, Resync) else page.records:
                    if record.number > task.filed_to:
                        yield record

    async def _twice(self, task: Task) -> int:
        """How many pieces of output are filed and not yet forgotten."""
        count = 0
        while task.log:
            records = await self.log.slice(_topic(task), OUTPUT_KINDS, offset=count, limit=_STEP)
            filed_away = sum(record.number <= task.filed_to for record in records)
            count += filed_away
            if filed_away < _STEP:
                break
        return count


@define
class _Found:
    limit: int
    size: int
    records: list[Record] = field(factory=list)

    def take(self, record: Record) -> bool:
        """Take one more; whether that is enough."""
        self.records.append(record)
        self.size -= len(record.body)
        return len(self.records) >= self.limit or self.size <= 0


@define
class _Seen:
    """The numbers of what passes by."""

    first: int = 0
    last: int = 0
    outputs: int = 0
    gap: bool = False

    async def watch(self, records: AsyncIterator[Record]) -> AsyncIterator[bytes]:
        """The records as lines."""
        async for record in records:
            self.first = self.first or record.number
            self.gap = self.gap or record.number != (self.last or record.number - 1) + 1
            self.last = record.number
            self.outputs += record.kind in OUTPUT_KINDS
            yield line_of(record)


def _topic(task: Task) -> Topic:
    return Topic.task(task.tenant, task.spec.codebase, task.id)


def _outputs(task: Task) -> int:
    return sum(segment.outputs for segment in task.log)
