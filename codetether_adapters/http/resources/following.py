"""Streams of the log: pages of records in, frames out, in one dialect or another.

A record is rendered once per dialect and kept beside it, so that a thousand watchers cost one rendering; a page is
joined into one chunk. Every frame of a record has its cursor as ``id``, and so have the first frame and the beats,
which are comments otherwise: a reader that is cut before anything happened still knows where it stood.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Final

from attrs import frozen

from codetether_adapters.http.responses import encode_json
from codetether_adapters.sse import json_frame
from codetether_core.errors import NotFound
from codetether_core.events import TASK_ERASED, Cursor, Page, Record, Topic
from codetether_core.services import TRAILING_GRACE, Resync, Services, Watching
from codetether_core.tasks import TERMINAL, Task, TaskState

__all__ = ["BEAT", "ENDINGS", "Dialect", "frames", "live", "of_task"]

BEAT: Final = timedelta(seconds=15)

ENDINGS: Final = frozenset(f"task.{state}" for state in TERMINAL)
"""The kinds of the event with which a task ends."""

_CANCELLED: Final = f"task.{TaskState.CANCELLED}"
_FINAL: Final = ENDINGS - {_CANCELLED}
_STOPPED: Final = "task.stopped"


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
    services: Services, task: Task, dialect: Dialect, after: Cursor | None, *, beat: timedelta
) -> AsyncGenerator[bytes, None]:
    """A task's events from the first (or after the cursor) to its last; ``task`` is how it stands now.

    The last is its end. A cancelled task goes on until its worker has confirmed that nothing runs any more, for
    ``TRAILING_GRACE`` at most: what the run still prints is told as well, to readers that come later too. A task that
    somebody erased, or that its store has lost, has no more to come; who comes back is told that it is not found.
    """
    topic = Topic.task(task.tenant, task.spec.codebase, task.id)
    whole, told = after is None, False
    try:
        async with aclosing(_pages(services, task, topic, dialect, after, beat)) as source:
            async for page in source:
                if isinstance(page, Resync):
                    whole = True
                    yield _resync(page)
                else:
                    told = told or any(record.kind in ENDINGS for record in page.records)
                    yield frames(dialect, page) or _beat(page.cursor)
    except NotFound:
        return
    if whole and not told:
        yield dialect.ending(task)


async def _pages(
    services: Services, task: Task, topic: Topic, dialect: Dialect, after: Cursor | None, beat: timedelta
) -> AsyncGenerator[Page | Resync, None]:
    """What the log has of the task, for as long as there may be more of it."""
    watching, cursor = services.watching, after
    until = _awaited(task, watching.clock.now())
    if not task.ended or until:
        kinds_and_end = (*dialect.kinds, TASK_ERASED)
        pages = watching.follow(topic, after, from_start=True, kinds=kinds_and_end, beat=beat)
        async with aclosing(pages) as source:
            async for page in source:
                if not isinstance(page, Resync) and any(record.kind == TASK_ERASED for record in page.records):
                    raise NotFound("task", task.id)
                yield page
                cursor = page.cursor
                if isinstance(page, Resync):
                    await services.backend.tasks.get(task.tenant, task.id)
                    continue
                kinds = {record.kind for record in page.records}
                if _STOPPED in kinds or kinds & _FINAL:
                    return
                if _CANCELLED in kinds:
                    task = await services.backend.tasks.get(task.tenant, task.id)
                    until = _awaited(task, watching.clock.now())
                    if until is None:  # either nothing ran, or the word of its end is in the log already
                        break
                if until and watching.clock.now() >= until and not page.more:
                    return
    async with aclosing(watching.replay(topic, cursor, kinds=dialect.kinds)) as source:
        async for page in source:
            yield page


def _awaited(task: Task, now: datetime) -> datetime | None:
    """Until when there may be more about a cancelled task; ``None`` if there is nothing more to come."""
    if task.state is not TaskState.CANCELLED or task.stopped or task.ended_at is None:
        return None
    until = task.ended_at + TRAILING_GRACE
    return until if now < until else None


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
    return json_frame(encode_json({"reason": resync.reason, "cursor": cursor}), event="resync", id=cursor)
