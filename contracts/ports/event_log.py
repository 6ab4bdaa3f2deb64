"""The contract of ``EventLog``: one order, cursors that never go back, a fence, and a horizon."""

from __future__ import annotations

import unittest
from collections.abc import Sequence
from typing import Final

from codetether_core.errors import CursorUnknown, StaleLease
from codetether_core.events import AGENTS, Cursor, Event, Guard, Record, Topic
from codetether_core.ids import AgentName, CodebaseId, TaskId
from codetether_core.ports import Backend
from contracts.ports.event_log_pages import read_all, texts
from contracts.ports.event_log_trimming import TRIMMING
from contracts.ports.event_log_writers import WRITERS
from contracts.ports.harness import Example, OpenBackend, examples, raises
from contracts.ports.samples import (
    CODEBASE,
    MICROSECOND,
    NOW,
    OTHER_TENANT,
    TENANT,
    note,
)

__all__ = ["event_log_contract"]

_CODEBASE: Final = Topic.codebase(TENANT, CODEBASE)
_TASK: Final = Topic.task(TENANT, CODEBASE, TaskId("t"))
_OTHER_TASK: Final = Topic.task(TENANT, CODEBASE, TaskId("u"))
_ELSEWHERE: Final = Topic.task(TENANT, CodebaseId("cb2"), TaskId("v"))
_FOREIGN: Final = Topic.task(OTHER_TENANT, CODEBASE, TaskId("t"))


def event_log_contract(open_backend: OpenBackend) -> type[unittest.TestCase]:
    """Order, pages, cursors, numbers, guards, counting, searching and trimming."""
    return examples("EventLogContract", open_backend, _EXAMPLES)


async def a_new_log_is_empty(backend: Backend) -> None:
    """Its start is its head, and there is nothing to read between them."""
    head = await backend.log.head()
    assert await backend.log.start() == head
    page = await backend.log.read(Topic(TENANT), head)
    assert (page.records, page.cursor, page.more) == ((), head, False)


async def an_event_comes_back_as_it_was_told(backend: Backend) -> None:
    """Topic, kind, moment to the microsecond, and the data as JSON on one line, moments as the codec writes them."""
    start = await backend.log.head()
    data = {"text": 'line\nline "é" 🦊', "at": NOW, "list": [1, 2.5, None, True], "nested": {"": {}}}
    at = NOW + MICROSECOND
    await backend.log.append([Event(_TASK, "kind", at, data)])
    (record,) = (await backend.log.read(_TASK, start)).records
    assert (record.topic, record.kind, record.at, record.number) == (_TASK, "kind", at, 1)
    assert record.position > start.position
    assert b"\n" not in record.body
    assert record.body.decode() == (
        '{"text":"line\\nline \\"é\\" 🦊","at":"2026-07-01T12:00:00.123457Z","list":[1,2.5,null,true],"nested":{"":{}}}'
    )


async def what_an_agent_prints_can_be_written(backend: Backend) -> None:
    """Lone surrogates and integers of any size are JSON that agents print; what is kept, every parser can read."""
    start = await backend.log.head()
    numbers = {"most": 2**64 - 1, "more": 2**64, "least": -(2**63), "less": -(2**63) - 1}
    await backend.log.append([note(_TASK, "a\ud800b"), Event(_TASK, "note", NOW, {"\udfff": [numbers, 10**30]})])
    records = (await backend.log.read(_TASK, start)).records
    assert texts(records) == [
        '{"text":"a\ufffdb"}',
        '{"\ufffd":[{"most":18446744073709551615,"more":"18446744073709551616",'
        '"least":-9223372036854775808,"less":"-9223372036854775809"},"1' + "0" * 30 + '"]}',
    ]


async def a_topic_shows_what_it_covers(backend: Backend) -> None:
    """A task, a codebase, a tenant; nobody sees another tenant's."""
    start = await backend.log.head()
    topics = [_TASK, _ELSEWHERE, _FOREIGN, _OTHER_TASK, Topic.agent(TENANT, AgentName("a")), _TASK]
    await backend.log.append([note(topic, str(n)) for n, topic in enumerate(topics)])
    seen = {
        Topic(TENANT): "01345",
        Topic(OTHER_TENANT): "2",
        _CODEBASE: "035",
        Topic(TENANT, AGENTS): "4",
        _TASK: "05",
        _OTHER_TASK: "3",
        _FOREIGN: "2",
        Topic(TENANT, "none"): "",
    }
    for topic, expected in seen.items():
        records = await read_all(backend, topic, start)
        assert texts(records) == [f'{{"text":"{n}"}}' for n in expected], topic
        positions = [record.position for record in records]
        assert positions == sorted(positions)


async def numbers_count_each_subject_without_gaps(backend: Backend) -> None:
    """From 1, over many appends, whatever happens on other subjects, refused appends included."""
    start = await backend.log.head()
    for n in range(10):
        await backend.log.append([note(_TASK), note(_OTHER_TASK), note(_TASK)])
        await raises(StaleLease, backend.log.append([note(_TASK)], Guard(TENANT, TaskId("t"), "none")))
        await backend.log.append([note(_FOREIGN)] * (n % 2))
    for topic, count in ((_TASK, 20), (_OTHER_TASK, 10), (_FOREIGN, 5)):
        assert [record.number for record in await read_all(backend, topic, start)] == [*range(1, count + 1)]


async def a_page_is_bounded_by_bytes(backend: Backend) -> None:
    """At most ``limit`` bytes of bodies, but one record at least; nothing is lost between pages."""
    start = await backend.log.head()
    events = [note(_TASK, "x" * size) for size in (10, 500, 10, 10, 2000, 1, 1, 1)]
    await backend.log.append(events)
    await backend.log.append([note(_OTHER_TASK)])
    everything = (await backend.log.read(_TASK, start)).records
    assert len(everything) == len(events)
    for limit in (1, 100, len(everything[0].body) + len(everything[1].body), 600, 10_000):
        assert texts(await read_all(backend, _TASK, start, limit)) == texts(everything)
        page = await backend.log.read(_TASK, start, limit=limit)
        size = sum(len(record.body) for record in page.records)
        assert len(page.records) == 1 or size <= limit
        assert page.more == (len(page.records) < len(everything))
        if page.more:
            assert page.cursor.position == page.records[-1].position
            assert size + len(everything[len(page.records)].body) > limit, "a page is filled"


async def a_cursor_moves_past_what_concerns_nobody(backend: Backend) -> None:
    """The last page of a quiet topic ends at the head, so that its reader does not fall behind."""
    start = await backend.log.head()
    await backend.log.append([note(_TASK), *[note(_OTHER_TASK)] * 5])
    page = await backend.log.read(_TASK, start)
    assert len(page.records) == 1 and page.cursor == await backend.log.head()
    nothing = await backend.log.read(_TASK, page.cursor)
    assert nothing.records == () and nothing.cursor == page.cursor


async def kinds_narrow_a_page(backend: Backend) -> None:
    """Only those asked for, and pages are filled with them; no kinds, no records."""
    start = await backend.log.head()
    await backend.log.append([note(_TASK, str(n), kind="ab"[n % 2]) for n in range(10)])
    page = await backend.log.read(_TASK, start, kinds=["b"])
    assert [record.kind for record in page.records] == ["b"] * 5 and not page.more
    assert not (await backend.log.read(_TASK, start, kinds=[])).records
    assert len((await backend.log.read(_TASK, start, kinds={"a", "b", "c"})).records) == 10
    small = await backend.log.read(_TASK, start, kinds=["b"], limit=1)
    assert len(small.records) == 1 and small.more


async def unknown_cursors_are_refused(backend: Backend) -> None:
    """Of another epoch, or beyond the head: never silence."""
    await backend.log.append([note(_TASK)])
    head = await backend.log.head()
    for cursor in (
        Cursor("elsewhere", head.position),
        Cursor("", 0),
        Cursor(head.epoch, head.position + 1),
        Cursor(head.epoch, 10**18 - 1),
    ):
        await raises(CursorUnknown, backend.log.read(_TASK, cursor))


async def records_are_counted_by_kind(backend: Backend) -> None:
    """``count``, ``slice`` by ordinal and ``latest``, on any topic."""
    kinds = ["a", "b", "c"]
    for n in range(12):
        await backend.log.append([note(_TASK if n % 4 else _OTHER_TASK, str(n), kind=kinds[n % 3])])

    async def numbers(records: Sequence[Record]) -> list[int]:
        return [int(text[9:-2]) for text in texts(records)]

    log = backend.log
    assert await log.count(_CODEBASE, kinds) == 12
    assert await log.count(_TASK, ["a", "b"]) == 6
    assert await log.count(_TASK, []) == 0
    assert await numbers(await log.slice(_CODEBASE, ["a", "c"], offset=0, limit=3)) == [0, 2, 3]
    assert await numbers(await log.slice(_CODEBASE, ["a", "c"], offset=3, limit=3)) == [5, 6, 8]
    assert await numbers(await log.slice(_TASK, ["a"], offset=2, limit=10)) == [9]
    assert await numbers(await log.slice(_TASK, ["a"], offset=3, limit=10)) == []
    assert await numbers(await log.latest(Topic(TENANT), ["b"], 2)) == [7, 10]
    assert await numbers(await log.latest(_OTHER_TASK, kinds, 10)) == [0, 4, 8]
    assert await numbers(await log.latest(_FOREIGN, kinds, 10)) == []


async def a_search_finds_text_as_json_writes_it(backend: Backend) -> None:
    """ASCII case does not matter, other case does; the last come, oldest first; wildcards are plain characters."""
    said = ["Hello World", "hello", "HELLO", 'say "hello"', "100%", "100x", "ÉTÉ", "été"]
    await backend.log.append([note(_TASK, text) for text in said])
    await backend.log.append([note(_TASK, "hello", kind="other"), note(_FOREIGN, "hello")])

    async def found(text: str, limit: int = 10) -> list[str]:
        return texts(await backend.log.search(TENANT, text, ["note"], limit))

    assert len(await found("hello")) == 4
    assert await found("hELLo", 2) == ['{"text":"HELLO"}', '{"text":"say \\"hello\\""}']
    assert await found('"hello"') == ['{"text":"say \\"hello\\""}']
    assert await found("100%") == ['{"text":"100%"}']
    assert await found("été") == ['{"text":"été"}']
    assert await found("nothing of it") == []


async def the_last_are_read_back_in_pages(backend: Backend) -> None:
    """Between two positions, both excluded, and no more bytes than asked for, but one record; nothing is lost."""
    start = await backend.log.head()
    sizes = (10, 500, 10, 10, 2000, 1, 1, 1)
    await backend.log.append([note(_TASK, "x" * size, kind="ab"[size % 2]) for size in sizes])
    await backend.log.append([note(_OTHER_TASK, "x", kind="b")] * 2)
    everything = await read_all(backend, _TASK, start)
    positions = [record.position for record in everything]

    async def latest(limit: int, **bounds: int) -> list[int]:
        """The same by both ways."""
        found = await backend.log.latest(_TASK, ["a", "b"], limit, **bounds)
        searched = await backend.log.search(TENANT, "X", ["a", "b"], limit + 2, **bounds)
        assert [record.position for record in searched if record.topic == _TASK][-limit:] == [
            record.position for record in found
        ] or "size" in bounds
        return [record.position for record in found]

    assert await latest(100) == positions
    assert await latest(3) == positions[-3:]
    assert await latest(100, after=positions[1], before=positions[6]) == positions[2:6]
    assert await latest(2, before=positions[4]) == positions[2:4]
    assert await latest(100, after=positions[-1]) == []
    assert await latest(100, before=positions[0]) == []
    small = len(everything[5].body)
    assert await latest(100, size=3 * small) == positions[5:]
    assert await latest(100, size=3 * small - 1) == positions[6:]
    assert await latest(100, size=1, before=positions[5]) == [positions[4]]
    for size in (1, 100, 600, 3000):
        found: list[int] = []
        while page := await latest(3, size=size, before=found[0] if found else 2**62):
            found[:0] = page
        assert found == positions


async def an_empty_append_is_nothing(backend: Backend) -> None:
    """No event, no position; a guard is checked all the same."""
    head = await backend.log.head()
    await backend.log.append([])
    await raises(StaleLease, backend.log.append([], Guard(TENANT, TaskId("none"), "fence", 0)))
    assert await backend.log.head() == head


_EXAMPLES: Final[tuple[Example, ...]] = (
    a_new_log_is_empty,
    an_event_comes_back_as_it_was_told,
    what_an_agent_prints_can_be_written,
    a_topic_shows_what_it_covers,
    numbers_count_each_subject_without_gaps,
    a_page_is_bounded_by_bytes,
    a_cursor_moves_past_what_concerns_nobody,
    kinds_narrow_a_page,
    unknown_cursors_are_refused,
    records_are_counted_by_kind,
    a_search_finds_text_as_json_writes_it,
    the_last_are_read_back_in_pages,
    an_empty_append_is_nothing,
    *TRIMMING,
    *WRITERS,
)
