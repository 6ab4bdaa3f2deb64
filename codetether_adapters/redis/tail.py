"""Following the log: what every shard appended, in the order in which this process saw it, once and without a gap.

What this process wrote is taken from the reply, if it follows what is known; everything else is read from the server
when a bell says that there is something. Each reading begins with the last record that is known, so that a server
that lost what it had acknowledged is found out: the log then gets a new epoch, and nobody reads on as if nothing was.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Coroutine, Iterator, Sequence
from functools import partial
from typing import Any, Final

from attrs import evolve

from codetether_adapters.redis.arrivals import Arrivals
from codetether_adapters.redis.beginning import begin
from codetether_adapters.redis.bell import RENEWED
from codetether_adapters.redis.entries import Line, lines
from codetether_adapters.redis.nodes import Nodes
from codetether_adapters.redis.notifier import RedisNotifier
from codetether_adapters.redis.positions import Vector, covers, joined, pack, unpack
from codetether_adapters.redis.scripts import RENEW, TAIL
from codetether_adapters.tail import Ring
from codetether_core.errors import Unavailable
from codetether_core.events import Cursor, Record, Topic

__all__ = ["Tail"]

_log = logging.getLogger(__name__)

_PAGE: Final = 1000
_NOWHERE: Final = 2**53


class Tail:
    """The recent end of the log. ``heads`` is how far each shard was read, ``starts`` what was trimmed of it."""

    def __init__(self, nodes: Nodes, notifier: RedisNotifier, epoch: str) -> None:
        self.epoch = epoch
        self.heads: Vector = (0,) * nodes.layout.shards
        self.starts: Vector = self.heads
        self.ring = Ring(0)
        self._nodes = nodes
        self._notifier = notifier
        self._arrivals = Arrivals(self.heads)
        self._known = [*self.heads]
        self._lasts: list[Line | None] = [None for _ in self.heads]
        self._seen = [nodes.generation(shard) for shard in nodes.layout.every]
        self._locks = [asyncio.Lock() for _ in self.heads]
        self._fetching: dict[int, asyncio.Task[None]] = {}

    async def open(self) -> None:
        """Begin at the end of the log as it is now."""
        layout = self._nodes.layout
        ends = await asyncio.gather(*(self._read(shard, _NOWHERE, 1) for shard in layout.every))
        await asyncio.gather(*(self._nodes.settle(shard) for shard in layout.every))
        self.heads = tuple(int(head) for head, _, _ in ends)
        self.starts = tuple(int(start) for _, start, _ in ends)
        self.ring = Ring(pack(self.heads))
        self._arrivals = Arrivals(self.heads)
        self._known = [*self.heads]
        self._lasts = [None for _ in ends]
        self._seen = [self._nodes.generation(shard) for shard in layout.every]

    async def close(self) -> None:
        """Stop reading."""
        for task in [*self._fetching.values()]:
            task.cancel()
        await asyncio.gather(*self._fetching.values(), return_exceptions=True)

    @property
    def head(self) -> Cursor:
        """After the last record that was seen."""
        return Cursor(self.epoch, self.ring.head)

    @property
    def start(self) -> Cursor:
        """After the last record that was trimmed."""
        return Cursor(self.epoch, pack(self.starts))

    def written(self, shard: int, head: int, appended: Sequence[Line]) -> None:
        """This process appended these, the last of them at ``head``; or it did earlier, and does not know what."""
        follows = bool(appended) and appended[0].place == self.heads[shard] + 1
        if follows and self._nodes.generation(shard) == self._seen[shard]:
            self._take(shard, appended)
        elif head != self.heads[shard]:
            self._known[shard] = max(self._known[shard], head)
            self._soon(shard, self.fetch(shard))

    def heard(self, shard: int, head: int) -> None:
        """Somebody says that the shard's log reaches up to there: read it, soon."""
        if head == RENEWED:
            self._soon(-1, self.confirm_epoch())
        elif head > self.heads[shard]:
            self._known[shard] = max(self._known[shard], head)
            self._soon(shard, self.fetch(shard))

    async def reach(self, vector: Vector = ()) -> None:
        """Read what is known to be there, and whatever a cursor that another replica gave out was given for.

        After a connection was lost the log is looked at first: it may not be what it was.
        """
        for shard in self._nodes.layout.every:
            known = self._known[shard] = max(self._known[shard], vector[shard] if vector else 0)
            if known > self.heads[shard] or self._nodes.generation(shard) != self._seen[shard]:
                await self.fetch(shard)

    async def catch_up(self, shard: int) -> None:
        """Read the shard's log to its end although nobody told of it; of a strict store once all of that is kept."""
        if self._nodes.strict:
            head, *_ = await self._read(shard, _NOWHERE, 1)
            await self._nodes.settle(shard)
            self._known[shard] = max(self._known[shard], int(head))
        await self.fetch(shard)

    async def fetch(self, shard: int) -> None:
        """Read the shard's log to its end; of a strict store as far as somebody knows that it is kept.

        A watcher of that must not be told what a failover may take back.
        """
        async with self._locks[shard]:
            while True:
                after, last, epoch = self.heads[shard], self._lasts[shard], self.epoch
                generation, told = self._nodes.generation(shard), self._known[shard]
                reply = await self._read(shard, after, _PAGE)
                if epoch != self.epoch:
                    continue
                head, start, found = int(reply[0]), int(reply[1]), lines(reply[2])
                known = found[0] if found and found[0].place == after else None
                if head < after or (last is not None and known is not None and known != last):
                    await self._renew(shard, head)
                    return
                self.starts = (*self.starts[:shard], start, *self.starts[shard + 1 :])
                self._seen[shard] = generation
                fresh = self._known[shard] == told  # nobody told of more while the answer was on its way
                if fresh:
                    self._known[shard] = min(told, max(head, self.heads[shard]))
                end = self._known[shard] if self._nodes.strict else head
                self._take(shard, [line for line in found if self.heads[shard] < line.place <= end])
                if self.heads[shard] >= end:
                    return
                if fresh and (len(found) < _PAGE or found[-1].place > end):  # what else was known has been erased
                    self._known[shard] = self.heads[shard]
                    return

    async def confirm_epoch(self) -> None:
        """See whether another process found that the log lost something, or all of it is gone."""
        epoch, made = await begin(self._nodes)
        if made:
            _say_loss("it is empty")
        if epoch != self.epoch:
            await self._begin_anew(epoch)

    def trimmed(self, shard: int, start: int) -> None:
        """This process trimmed the shard's log."""
        self.starts = (*self.starts[:shard], max(start, self.starts[shard]), *self.starts[shard + 1 :])

    def near(self, topic: Topic, after: Vector) -> Iterator[Record] | None:
        """The topic's records after that, or nothing if they reach further back than what is in memory."""
        floor = unpack(self.ring.floor, len(after))
        if not covers(after, floor):
            return None
        position = pack(after)
        if len(after) == 1 or position in (self.ring.floor, self.ring.head) or self._arrivals.knows(after, position):
            return self.ring.after(topic, position)
        return self._foreign(topic, after)

    def position(self, shard: int, place: int) -> int | None:
        """The position that a record has in memory."""
        return place if len(self.heads) == 1 else self._arrivals.position(shard, place)

    async def _read(self, shard: int, after: int, limit: int) -> Any:
        """The shard's head and start, and so many lines from a place on (included)."""
        keys = [self._nodes.layout.key(shard, name) for name in ("log", "events")]
        return await self._nodes.run(TAIL, shard, keys, after, limit)

    def _foreign(self, topic: Topic, after: Vector) -> Iterator[Record]:
        """After a place in another process's order: all that it had not seen, told as its reader must go on."""
        layout = self._nodes.layout
        for record in self.ring.after(topic, self.ring.floor):
            vector = unpack(record.position, len(after))
            shard = layout.of_topic(record.topic)[0]
            if vector[shard] > after[shard]:
                position = pack(joined(after, vector))
                yield record if position == record.position else evolve(record, position=position, frames={})

    def _take(self, shard: int, appended: Sequence[Line]) -> None:
        if not appended:
            return
        self.ring.extend([line.record(self._arrivals.arrive(shard, line.place)) for line in appended])
        last = appended[-1]
        self.heads = (*self.heads[:shard], last.place, *self.heads[shard + 1 :])
        self._lasts[shard] = last
        if len(self.heads) > 1:
            self._arrivals.forget(unpack(self.ring.floor, len(self.heads)))
        self._notifier.ring({line.topic for line in appended})

    async def _renew(self, shard: int, head: int) -> None:
        """The shard's log is not what was acknowledged: from here on it is another log."""
        layout = self._nodes.layout
        _say_loss(f"its log ended at {self.heads[shard]} in shard {shard}, and now at {head}")
        message = f"{self._notifier.name} {RENEWED} "
        new, bell = secrets.token_hex(8), layout.key(0, "bell")
        await self._nodes.run(RENEW, 0, [layout.key(0, "meta")], self.epoch, new, bell, message, durable=True)
        epoch, _ = await begin(self._nodes)
        await self._begin_anew(epoch)

    async def _begin_anew(self, epoch: str) -> None:
        await self.open()
        self.epoch = epoch
        self._notifier.ring_all()

    def _soon(self, shard: int, reading: Coroutine[None, None, None]) -> None:
        """Read in the background, unless that is under way."""
        if shard in self._fetching:
            reading.close()
            return
        task = self._fetching[shard] = asyncio.create_task(reading)
        task.add_done_callback(partial(self._fetched, shard))

    def _fetched(self, shard: int, task: asyncio.Task[None]) -> None:
        del self._fetching[shard]
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, Unavailable):
            _log.error("The log could not be read", exc_info=error)
        elif error is None and shard >= 0 and self._known[shard] > self.heads[shard]:
            self._soon(shard, self.fetch(shard))


def _say_loss(what: str) -> None:
    _log.error(
        "The Redis store lost what it had acknowledged: %s. Readers are sent back to the present state."
        " Strict durability waits for disks and replicas, which avoids it.",
        what,
    )
