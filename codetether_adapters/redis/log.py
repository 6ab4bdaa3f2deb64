"""The log in Redis, and the ring of its recent end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import groupby, takewhile
from typing import Final

from codetether_adapters.redis import merge
from codetether_adapters.redis.encoding import microseconds
from codetether_adapters.redis.entries import lines
from codetether_adapters.redis.history import History, Search
from codetether_adapters.redis.nodes import Nodes
from codetether_adapters.redis.positions import Vector, covers, is_place, joined, pack, unpack
from codetether_adapters.redis.scripts import TAIL, TRIM
from codetether_adapters.redis.signposts import Signposts
from codetether_adapters.redis.tail import Tail
from codetether_adapters.redis.task_documents import belongs
from codetether_adapters.redis.writer import CONFLICT, MISSING, STALE, Writer
from codetether_adapters.tail import Entry, encoded, fill, last, needle, of_this_log, position
from codetether_core.errors import StaleLease, VersionConflict
from codetether_core.events import Cursor, Event, Guard, OutputHead, Page, Record, Topic
from codetether_core.ids import TaskId, TenantId
from codetether_core.ports import PAGE_BYTES

__all__ = ["RedisLog"]

_TRIMMED_AT_ONCE: Final = 500


class RedisLog:
    """The whole log of one store (an ``EventLog``)."""

    def __init__(self, nodes: Nodes, writer: Writer, tail: Tail, signposts: Signposts) -> None:
        self._nodes = nodes
        self._layout = nodes.layout
        self._writer = writer
        self._tail = tail
        self._signposts = signposts
        self._history = History(nodes)

    async def append(self, events: Sequence[Event], guard: Guard | None = None) -> None:
        """Under a guard in the task's shard, all or nothing; else in order, each run of one shard at once."""
        entries = encoded(events)
        if guard is not None:
            await self._append_guarded(entries, guard)
            return
        for shard, run in groupby(entries, lambda entry: self._layout.of_topic(entry[0].topic)[0]):
            await self._writer.write(shard, entries=[*run])

    async def output_head(self, tenant: TenantId, task: TaskId) -> OutputHead:
        """With the task, if it is the tenant's."""
        shard = await self._signposts.follow(task)
        key = self._layout.key(shard, f"t:{task}")
        version, grant, following, held = await self._nodes.call(
            shard, "HMGET", key, "version", "grant", "following", "held"
        )
        if grant is None or not belongs(version, tenant):
            return OutputHead()
        return OutputHead(grant.decode(), int(following), held.decode())

    async def read(
        self, topic: Topic, after: Cursor, *, limit: int = PAGE_BYTES, kinds: Collection[str] | None = None
    ) -> Page:
        """From the ring, or from the servers for a reader that is far behind."""
        if after.epoch != self._tail.epoch:
            await self._tail.confirm_epoch()
        wanted = unpack(after.position, self._layout.shards)
        if after.epoch == self._tail.epoch:
            await self._tail.reach(wanted)
        head = self._tail.head
        self._require(topic, after, wanted)
        reached = joined(wanted, self._tail.heads)
        near = self._tail.near(topic, wanted)
        if near is not None:
            return fill(near, Cursor(head.epoch, pack(reached)), limit, kinds)
        return await self._read_far(topic, wanted, reached, limit, kinds)

    async def head(self) -> Cursor:
        """After the last record that this process has seen, its own writes included."""
        await self._tail.reach()
        return self._tail.head

    async def start(self) -> Cursor:
        """After the last record that was trimmed."""
        return self._tail.start

    async def slice(self, topic: Topic, kinds: Collection[str], *, offset: int, limit: int) -> Sequence[Record]:
        """By counting in the topic's index."""
        shards, search = self._layout.of_topic(topic), Search(topic=topic, kinds=kinds)
        skipped = offset if len(shards) == 1 else 0
        walks = {shard: self._history.forwards(search, shard, skip=skipped) for shard in shards}
        found: list[Record] = []
        if limit <= 0:
            return found
        left = offset - skipped
        async for record in merge.forwards(walks, (0,) * self._layout.shards):
            if left:
                left -= 1
                continue
            found.append(record)
            if len(found) == limit:
                break
        return found

    async def count(self, topic: Topic, kinds: Collection[str]) -> int:
        """In the topic's index."""
        search = Search(topic=topic, kinds=kinds)
        return sum([await self._history.count(search, shard) for shard in self._layout.of_topic(topic)])

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
        """From the end of the topic's index."""
        return await self._last(Search(topic=topic, kinds=kinds), limit, after, before, size)

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
        """From the end of the tenant's index; the script looks into the bodies."""
        search = Search(topic=Topic(tenant), kinds=kinds, text=needle(text))
        return await self._last(search, limit, after, before, size)

    async def oldest(self, before: datetime, limit: int) -> Page:
        """From the beginning of one shard's log after the other's."""
        epoch, reached, bound = self._tail.epoch, [*self._tail.starts], microseconds(before)
        found: list[Record] = []
        for shard in self._layout.every:
            keys = [self._layout.key(shard, name) for name in ("log", "events")]
            _, start, entries = await self._nodes.run(TAIL, shard, keys, 0, limit - len(found))
            reached[shard] = max(reached[shard], int(start))
            for line in takewhile(lambda line: line.at < bound, lines(entries)):
                reached[shard] = line.place
                found.append(line.record(pack((*reached,))))
            if len(found) == limit:
                break
        return Page((*found,), Cursor(epoch, pack((*reached,))), more=len(found) == limit)

    async def trim(self, through: Cursor) -> int:
        """Cut the oldest end of each shard's log off, a bounded stretch at a time."""
        of_this_log(through, self._tail.epoch)
        gone = 0
        for shard, place in enumerate(unpack(through.position, self._layout.shards)):
            keys = [self._layout.key(shard, name) for name in ("log", "events")]
            count = _TRIMMED_AT_ONCE
            while count == _TRIMMED_AT_ONCE:
                values = (self._layout.key(shard), place, _TRIMMED_AT_ONCE)
                count, start = await self._nodes.run(TRIM, shard, keys, *values)
                self._tail.trimmed(shard, int(start))
                gone += count
        return gone

    async def _append_guarded(self, entries: Sequence[Entry], guard: Guard) -> None:
        shard = self._layout.of_id(guard.task)
        outcome = await self._writer.write(shard, entries=entries, guard=guard)
        if outcome.status == MISSING:
            home = await self._signposts.follow(guard.task)
            if home != shard:
                outcome = await self._writer.write(home, entries=entries, guard=guard)
        if outcome.status in (MISSING, STALE):
            raise StaleLease("The lease that these events were written under is no longer in force", id=guard.task)
        if outcome.status == CONFLICT:
            raise VersionConflict("Other output came first", id=guard.task)

    def _require(self, topic: Topic, after: Cursor, wanted: Vector) -> None:
        """``CursorUnknown`` unless the cursor is of this log and within what is kept of the topic's shards."""
        start, head = self._tail.start, self._tail.head
        if not covers(self._tail.heads, wanted):
            position(Cursor(after.epoch, head.position + 1), start=start, head=head)
        kept = all(wanted[shard] >= self._tail.starts[shard] for shard in self._layout.of_topic(topic))
        position(Cursor(after.epoch, head.position if kept else start.position - 1), start=start, head=head)

    async def _read_far(
        self, topic: Topic, wanted: Vector, reached: Vector, limit: int, kinds: Collection[str] | None
    ) -> Page:
        search = Search(topic=topic, kinds=kinds)
        walks = {
            shard: self._history.forwards(search, shard, after=wanted[shard], until=reached[shard])
            for shard in self._layout.of_topic(topic)
        }
        found: list[Record] = []
        size = 0
        async for record in merge.forwards(walks, wanted):
            found.append(record)
            size += len(record.body)
            if size > limit and len(found) > 1:
                break
        epoch = self._tail.epoch
        # A trim may have been faster.
        for shard in walks:
            if found or reached[shard] > wanted[shard]:
                await self._tail.fetch(shard)
        self._require(topic, Cursor(epoch, pack(wanted)), wanted)
        return fill(found, Cursor(epoch, pack(reached)), limit, None)

    async def _last(
        self, search: Search, limit: int, after: int, before: int | None, size: int | None
    ) -> Sequence[Record]:
        """Record by record from the latest on, so that little more is read than is asked for."""
        await self._tail.reach()
        shards = self._layout.shards
        if before is not None and not is_place(before, shards) and before > 0:
            before = None
        low = unpack(after, shards)
        high = self._tail.heads if before is None else unpack(before, shards)
        if before is not None and shards == 1:
            high = (before - 1,)
        walks = {
            shard: self._history.backwards(search, shard, after=low[shard], until=high[shard])
            for shard in self._layout.of_topic(search.topic)
        }
        found: list[Record] = []
        total = 0
        async for record in merge.backwards(walks, shards, self._tail.position, before):
            found.append(record)
            total += len(record.body)
            if len(found) >= limit or (size is not None and total > size):
                break
        return last(found, limit, size)
