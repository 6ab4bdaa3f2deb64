"""Writing: one script for a logical write, finished whether its caller still waits or was cancelled."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any, Final

from attrs import astuple, frozen

from codetether_adapters.redis import chains as recording
from codetether_adapters.redis import documents as documenting
from codetether_adapters.redis import entries as appending
from codetether_adapters.redis.bell import wake_text
from codetether_adapters.redis.documents import Document, Sweep
from codetether_adapters.redis.nodes import Nodes
from codetether_adapters.redis.notifier import RedisNotifier
from codetether_adapters.redis.scripts import WRITE
from codetether_adapters.redis.tail import Tail
from codetether_adapters.tail import Entry, erasing
from codetether_core.events import AUDIT, Guard, Topic

__all__ = ["CONFLICT", "DONE", "EXISTS", "MISSING", "STALE", "Outcome", "Writer"]

DONE: Final = "done"
EXISTS: Final = "exists"
CONFLICT: Final = "conflict"
STALE: Final = "stale"
MISSING: Final = "missing"

_OK: Final = "ok"


@frozen
class Outcome:
    """How a write ended: ``DONE``, or why nothing was written, and which document (from 0) stood in its way."""

    status: str
    which: int = 0


class Writer:
    """Writes to the shards, tells the tail what was appended, and rings the bells of this process."""

    def __init__(self, nodes: Nodes, tail: Tail, notifier: RedisNotifier) -> None:
        self._nodes = nodes
        self._tail = tail
        self._notifier = notifier
        self._under_way: set[asyncio.Task[Any]] = set()

    async def write(
        self,
        shard: int,
        documents: Sequence[Document] = (),
        entries: Sequence[Entry] = (),
        *,
        wake: Sequence[Topic] = (),
        guard: Guard | None = None,
        token: str = "",
        sweeps: Sequence[Sweep] = (),
    ) -> Outcome:
        """Do all of it or nothing. ``token`` names the write, so that one whose reply was lost is known again."""
        task = asyncio.create_task(self._write(shard, documents, entries, wake, guard, token, sweeps))
        self._under_way.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _write(
        self,
        shard: int,
        documents: Sequence[Document],
        entries: Sequence[Entry],
        wake: Sequence[Topic],
        guard: Guard | None,
        token: str,
        sweeps: Sequence[Sweep],
    ) -> Outcome:
        layout = self._nodes.layout
        noted = [entry for entry in entries if entry[0].topic.scope == AUDIT]
        if noted:
            entries = [entry for entry in entries if entry[0].topic.scope != AUDIT]
        erased, entries = erasing(entries)
        # A document that stays carries the token; where none does, the write is remembered by itself.
        remember = not any(document.fields for document in documents[:1])
        values: list[str | bytes | int] = [
            layout.key(shard),
            "" if self._nodes.strict else self._notifier.name,
            token or secrets.token_hex(8),
            int(remember),
            *_guard(guard, len(entries)),
            *documenting.arguments(documents),
            *documenting.sweeps(sweeps),
            *appending.erasures(erased),
            *appending.arguments(entries),
            *recording.arguments(noted, recording.chain_of(self._tail.epoch, shard)),
            wake_text(wake),
        ]
        reply = await self._nodes.run(WRITE, shard, (layout.key(shard, "log"),), *values, durable=True)
        if self._nodes.strict:
            self._ring(shard, reply[1], wake)
        return self._tell(shard, reply, entries, wake)

    def _ring(self, shard: int, head: int, wake: Sequence[Topic]) -> None:
        """Let other processes know, now that it is kept; nobody waits for that, and a bell that is lost is no loss."""
        ringing = asyncio.create_task(self._notifier.announce(shard, head, wake))
        self._under_way.add(ringing)
        ringing.add_done_callback(self._finished)

    def _tell(self, shard: int, reply: Any, entries: Sequence[Entry], wake: Sequence[Topic]) -> Outcome:
        status, head, *rest = reply
        if status == _OK.encode():
            known, *numbers = rest
            first = head - len(numbers) + 1
            appended = [
                appending.line_of(first + n, number, entry)
                for n, (number, entry) in enumerate(zip(numbers, entries[known:], strict=True))
            ]
            self._tail.written(shard, head, appended)
        elif status == DONE.encode():
            self._tail.written(shard, head, ())
        else:
            return Outcome(status.decode(), rest[0] - 1 if rest else 0)
        self._notifier.ring(wake)
        return Outcome(DONE)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            # A caller who was cancelled does not ask what became of it, and nobody asks of a bell.
            task.exception()


def _guard(guard: Guard | None, sent: int) -> tuple[str | int, ...]:
    if guard is None:
        return ("",)
    if guard.swap is not None:
        return guard.task, guard.fence, "swap", *astuple(guard.swap.old), *astuple(guard.swap.new)
    return guard.task, guard.fence, "count", guard.grant, "" if guard.first is None else guard.first, sent
