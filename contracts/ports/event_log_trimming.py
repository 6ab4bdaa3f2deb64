"""Examples of what is forgotten of the log: the oldest, told before, and said to whoever comes back for it."""

from __future__ import annotations

from typing import Final

from codetether_core.errors import CursorUnknown
from codetether_core.events import Cursor, Topic
from codetether_core.ids import CodebaseId, TaskId
from codetether_core.ports import Backend
from contracts.ports.event_log_pages import read_all, texts
from contracts.ports.harness import Example, forget, raises
from contracts.ports.samples import CODEBASE, NOW, OTHER_TENANT, SECOND, TENANT, note

__all__ = ["TRIMMING"]

_TASK: Final = Topic.task(TENANT, CODEBASE, TaskId("t"))
_ELSEWHERE: Final = Topic.task(TENANT, CodebaseId("cb2"), TaskId("v"))
_FOREIGN: Final = Topic.task(OTHER_TENANT, CODEBASE, TaskId("t"))


async def what_was_trimmed_is_refused(backend: Backend) -> None:
    """Only what is older than the moment goes, no more than the limit, and a cursor from before it is told so."""
    start = await backend.log.head()
    for n in range(6):
        await backend.log.append([note(_TASK, str(n), at=NOW + n * SECOND)])
    positions = [record.position for record in await read_all(backend, _TASK, start)]
    assert await forget(backend.log, NOW, 10) == 0
    assert await backend.log.start() == start
    assert await forget(backend.log, NOW + 3 * SECOND, 2) == 2
    assert await forget(backend.log, NOW + 3 * SECOND, 10) == 1
    assert await forget(backend.log, NOW + 3 * SECOND, 10) == 0
    await raises(CursorUnknown, backend.log.read(_TASK, start))
    await raises(CursorUnknown, backend.log.read(_TASK, Cursor(start.epoch, positions[1])))
    await raises(CursorUnknown, backend.log.trim(Cursor("elsewhere", positions[5])))
    kept = await backend.log.start()
    assert [record.number for record in await read_all(backend, _TASK, kept)] == [4, 5, 6]
    assert await backend.log.count(_TASK, ["note"]) == 3
    assert texts(await backend.log.slice(_TASK, ["note"], offset=0, limit=1)) == ['{"text":"3"}']


async def the_oldest_are_told_before_they_are_trimmed(backend: Backend) -> None:
    """Those of every tenant, and a cursor that trims just these, however often and whatever came meanwhile."""
    topics = (_TASK, _FOREIGN, _ELSEWHERE)
    for n in range(9):
        await backend.log.append([note(topics[n % 3], str(n), at=NOW + n * SECOND)])
    nothing = await backend.log.oldest(NOW, 10)
    assert (nothing.records, nothing.more) == ((), False)
    page = await backend.log.oldest(NOW + 6 * SECOND, 4)
    assert len(page.records) == 4 and page.more
    rest = await backend.log.oldest(NOW + 6 * SECOND, 100)
    assert sorted(texts(rest.records)) == [f'{{"text":"{n}"}}' for n in range(6)]
    assert not rest.more and set(texts(page.records)) <= set(texts(rest.records))
    assert {record.topic for record in rest.records} == set(topics)
    await backend.log.append([note(_TASK, "late", at=NOW)])
    assert await backend.log.trim(page.cursor) == 4
    assert await backend.log.trim(page.cursor) == 0
    assert await backend.log.trim(rest.cursor) == 2
    assert await backend.log.trim(page.cursor) == 0
    kept = await read_all(backend, Topic(TENANT), await backend.log.start())
    assert sorted(texts(kept)) == ['{"text":"6"}', '{"text":"8"}', '{"text":"late"}']


async def positions_and_numbers_are_not_given_twice(backend: Backend) -> None:
    """Not even after everything was trimmed."""
    start = await backend.log.head()
    await backend.log.append([note(_TASK)] * 3)
    head = await backend.log.head()
    assert await forget(backend.log, NOW + SECOND, 10) == 3
    assert await backend.log.head() == head == await backend.log.start()
    await backend.log.append([note(_TASK)])
    await raises(CursorUnknown, backend.log.read(_TASK, start))
    (record,) = (await backend.log.read(_TASK, head)).records
    assert record.position > head.position and record.number == 4


TRIMMING: Final[tuple[Example, ...]] = (
    what_was_trimmed_is_refused,
    the_oldest_are_told_before_they_are_trimmed,
    positions_and_numbers_are_not_given_twice,
)
