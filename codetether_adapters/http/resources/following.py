"""Streams of the log: pages of records in, frames out, in one dialect or another.

A record is rendered once per dialect and kept beside it, so that a thousand watchers cost one rendering; a page is
joined into one chunk. Every frame of a record has its cursor as ``id``, and so have the first frame and the beats,
which are comments otherwise: a reader that is cut before anything happened still knows where it stood.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import timedelta
from typing import Final

from attrs import frozen

from codetether_adapters.http.responses import encode_json
from codetether_adapters.sse import encode
from codetether_core.events import Cursor, Page, Record, Topic
from codetether_core.services import Resync, Watching
from codetether_core.tasks import TERMINAL, Task

__all__ = ["BEAT", "ENDINGS", "Dialect", "frames", "live", "of_task"]

BEAT: Final = timedelta(seconds=15)

ENDINGS: Final = frozenset(f"task.{state}" for state in TERMINAL)
"""The kinds of the event with which a task ends."""


@frozen
class Dialect:
    """How records are told. ``render`` makes the frame (or frames) of one record, given its cursor."""

    name: str
    kinds: tuple[str, ...]
    render: Callable[[Record, str], bytes]
    ending: Callable[[Task], bytes]
    """The last frame of a task whose end is no longer in the log."""


def frames(dialect: Dialect, page: Page) -> bytes:
    """A page as one chunk."""
    return _joined(dialect, page.cursor.epoch, page.records)


async def live(
    watching: Watching, topic: Topic, dialect: Dialect, after: Cursor | None, *, from_start: bool, beat: timedelta
) -> AsyncGenerator[bytes, None]:
    """Everything on a topic, for ever."""
    pages = watching.follow(topic, after, from_start=from_start, kinds=dialect.kinds, beat=beat)
    async with aclosing(pages) as source:
        async for page in source:
            if isinstance(page, Resync):
                yield _resync(page)
            else:
                yield frames(dialect, page) or _beat(page.cursor)


async def of_task(
    watching: Watching, task: Task, dialect: Dialect, after: Cursor | None, *, beat: timedelta
) -> AsyncGenerator[bytes, None]:
    """A task's events from the first (or after the cursor) to its last; ``task`` is how it stands now.

    One that has ended has its last event in the log already: what there is, is all there will be.
    """
    topic = Topic.task(task.tenant, task.spec.codebase, task.id)
    if task.ended:
        pages = watching.replay(topic, after, kinds=dialect.kinds)
    else:
        pages = watching.follow(topic, after, from_start=True, kinds=dialect.kinds, beat=beat)
    whole = after is None
    async with aclosing(pages) as source:
        async for page in source:
            if isinstance(page, Resync):
                whole = True
                yield _resync(page)
                continue
            last = next((at for at, record in enumerate(page.records) if record.kind in ENDINGS), None)
            if last is not None:
                yield _joined(dialect, page.cursor.epoch, page.records[: last + 1])
                return
            yield frames(dialect, page) or _beat(page.cursor)
    if whole:
        yield dialect.ending(task)


def _joined(dialect: Dialect, epoch: str, records: tuple[Record, ...]) -> bytes:
    name, render = dialect.name, dialect.render
    parts: list[bytes] = []
    for record in records:
        frame = record.frames.get(name)
        if frame is None:
            frame = record.frames[name] = render(record, f"{epoch}.{record.position}")
        parts.append(frame)
    return b"".join(parts)


def _beat(cursor: Cursor) -> bytes:
    return b"id: %b\n: beat\n\n" % str(cursor).encode()


def _resync(resync: Resync) -> bytes:
    """Your cursor means nothing here: look at the present state, what follows is everything from ``cursor`` on."""
    cursor = str(resync.cursor)
    return encode(encode_json({"reason": resync.reason, "cursor": cursor}), event="resync", id=cursor)
