"""Examples of who may write to the log, and of many who do at once."""

from __future__ import annotations

import asyncio
from typing import Final

from codetether_core.errors import StaleLease, VersionConflict
from codetether_core.events import Guard, HeadSwap, OutputHead, Record, Topic
from codetether_core.ids import CodebaseId, TaskId, TenantId
from codetether_core.ports import Backend
from codetether_core.tasks import cancel, requeue
from contracts.ports.event_log_pages import texts
from contracts.ports.harness import Example, raises
from contracts.ports.samples import (
    CODEBASE,
    NOW,
    SECOND,
    TENANT,
    claimed,
    new_task,
    note,
    output,
)

__all__ = ["WRITERS"]

_TASK: Final = Topic.task(TENANT, CODEBASE, TaskId("t"))


async def a_guard_lets_the_holder_speak(backend: Backend) -> None:
    """Its fence must read so still: not before a claim, not after a requeue; a cancel marks it, and it counts on."""
    task = new_task()
    await backend.tasks.add(task)
    running = claimed(task)
    guard = Guard(task.tenant, task.id, running.fence, 0)
    await raises(StaleLease, backend.log.append(output(task, "early"), guard))
    await backend.tasks.replace(task, running)
    await backend.log.append(output(task, "held"), guard)
    for wrong in (f"{running.fence}x", "", "1", running.fence[:-1]):
        await raises(StaleLease, backend.log.append(output(task, "wrong"), Guard(task.tenant, task.id, wrong, 0)))
    await raises(
        StaleLease, backend.log.append(output(task, "unknown"), Guard(TENANT, TaskId("none"), running.fence, 0))
    )
    cancelled = cancel(running, NOW, by="me")
    await backend.tasks.replace(running, cancelled)
    await raises(StaleLease, backend.log.append(output(task, "late"), guard))
    await backend.log.append(output(task, "held"), Guard(task.tenant, task.id, cancelled.fence, 0))
    await backend.log.append(output(task, "trailing"), Guard(task.tenant, task.id, cancelled.fence, 1))
    records = await backend.log.slice(_TASK, ["task.output"], offset=0, limit=10)
    assert texts(records) == ['{"text":"held"}', '{"text":"trailing"}']


async def a_batch_that_is_sent_again_changes_nothing(backend: Backend) -> None:
    """Whole, in part, overlapping, and with a gap; without ordinals it is taken again; a new grant counts from 0."""
    task = new_task()
    running = claimed(task)
    await backend.tasks.add(task)
    await backend.tasks.replace(task, running)

    async def send(first: int | None, *texts: str) -> None:
        await backend.log.append(output(task, *texts), Guard(task.tenant, task.id, running.fence, first))

    await send(0, "0", "1", "2")
    await send(0, "0", "1", "2")
    await send(1, "1")
    await send(1, "1", "2", "3", "4")
    await send(5)
    await send(7, "7", "8")
    await send(5, "5", "6", "7", "8", "9")
    await send(None, "more")
    await send(10, "10")
    assert "".join(text[9:-2] for text in await _outputs(backend)) == "012347" + "8" + "9" + "more" + "10"

    back = requeue(running, NOW)
    again = claimed(back, nonce="m")
    await backend.tasks.replace(running, back)
    await backend.tasks.replace(back, again)
    await raises(StaleLease, backend.log.append(output(task, "old"), Guard(task.tenant, task.id, running.fence, 11)))
    await backend.log.append(output(task, "new"), Guard(task.tenant, task.id, again.fence, 0))
    assert (await _outputs(backend))[-1] == '{"text":"new"}'


async def the_head_of_the_output_is_swapped(backend: Backend) -> None:
    """As it must read, or nothing is appended, nor past what was held back; and nobody else sees the head."""
    task = new_task()
    running = claimed(task)
    await backend.tasks.add(task)
    await backend.tasks.replace(task, running)
    grant = running.fence
    assert await backend.log.output_head(TENANT, task.id) == OutputHead()

    async def swap(old: OutputHead, new: OutputHead, *texts: str) -> None:
        await backend.log.append(
            output(task, *texts), Guard(task.tenant, task.id, running.fence, swap=HeadSwap(old, new))
        )

    one, two = OutputHead(grant, 1, "held"), OutputHead(grant, 3, "more")
    await raises(VersionConflict, swap(one, two, "no"))
    await swap(OutputHead(), one, "a")
    for wrong in (OutputHead(), OutputHead(grant, 1), OutputHead(grant, 2, "held"), OutputHead("", 1, "held")):
        await raises(VersionConflict, swap(wrong, two, "no"))
    assert await backend.log.output_head(TENANT, task.id) == one
    assert await backend.log.output_head(TenantId("other"), task.id) == OutputHead()
    await swap(one, two, "b", "c", "d")
    await swap(two, two)
    for first in (None, 2, 3):
        await raises(
            VersionConflict, backend.log.append(output(task, "no"), Guard(task.tenant, task.id, running.fence, first))
        )
    await swap(two, OutputHead(grant, 3))
    await backend.log.append(output(task, "d", "e"), Guard(task.tenant, task.id, running.fence, 2))
    assert await backend.log.output_head(TENANT, task.id) == OutputHead(grant, 4)
    await raises(
        StaleLease,
        backend.log.append(output(task, "no"), Guard(task.tenant, task.id, "none", swap=HeadSwap(OutputHead(), two))),
    )
    both = (swap(OutputHead(grant, 4), OutputHead(grant, 5 + n), "once") for n in range(8))
    done = await asyncio.gather(*both, return_exceptions=True)
    assert sum(each is None for each in done) == 1
    last = await backend.log.output_head(TENANT, task.id)
    await swap(last, OutputHead("another", 1, "its own"))
    await backend.log.append(output(task, "f"), Guard(task.tenant, task.id, running.fence, 0))
    assert await backend.log.output_head(TENANT, task.id) == OutputHead(grant, 1)
    assert [text[9:-2] for text in await _outputs(backend)] == ["a", "b", "c", "d", "e", "once", "f"]


async def _outputs(backend: Backend) -> list[str]:
    return texts(await backend.log.slice(_TASK, ["task.output"], offset=0, limit=100))


async def resent_batches_meet_wherever_they_race(backend: Backend) -> None:
    """The same batches, sent by two at once and in pieces, are in the log once and in order."""
    task = new_task()
    running = claimed(task)
    await backend.tasks.add(task)
    await backend.tasks.replace(task, running)
    texts = [str(n) for n in range(60)]

    async def send(size: int) -> None:
        for first in range(0, len(texts), size):
            events = output(task, *texts[first : first + size])
            await backend.log.append(events, Guard(task.tenant, task.id, running.fence, first))
            await backend.log.append(events, Guard(task.tenant, task.id, running.fence, first))

    # Each sender is in order; the log has each ordinal once however they overlap.
    await asyncio.gather(send(4), send(4))
    assert await _outputs(backend) == [f'{{"text":"{text}"}}' for text in texts]


async def a_stale_holder_never_speaks_after_a_new_claim(backend: Backend) -> None:
    """Its batches race the claim: whatever lands is in the log before the first word of the new holder."""
    task = new_task()
    first = claimed(task)
    await backend.tasks.add(task)
    await backend.tasks.replace(task, first)
    back = requeue(first, NOW)
    second = claimed(back, nonce="m")

    async def stale() -> None:
        for n in range(50):
            try:
                await backend.log.append(output(task, "old"), Guard(task.tenant, task.id, first.fence, n))
            except StaleLease:
                return

    async def successor() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        await backend.tasks.replace(first, back)
        await backend.tasks.replace(back, second)
        for n in range(10):
            await backend.log.append(output(task, "new"), Guard(task.tenant, task.id, second.fence, n))

    await asyncio.gather(stale(), stale(), successor())
    outputs = await _outputs(backend)
    assert outputs == sorted(outputs, reverse=True), "every old word comes before every new one"
    assert outputs.count('{"text":"new"}') == 10


async def a_reader_misses_nothing_while_others_write(backend: Backend) -> None:
    """Whoever reads on from his cursor sees each writer's events once and in order, in the order of the log."""
    start = await backend.log.head()
    writers, events = 6, 40

    async def write(writer: int) -> None:
        topic = Topic.task(TENANT, CodebaseId(f"cb{writer % 2}"), TaskId(f"t{writer}"))
        for n in range(0, events, 2):
            await backend.log.append([note(topic, f"{writer}:{n}"), note(topic, f"{writer}:{n + 1}")])

    async def follow(topic: Topic, expected: int) -> list[Record]:
        seen: list[Record] = []
        cursor = start
        with backend.notifier.listen(topic) as bell:
            while len(seen) < expected:
                page = await backend.log.read(topic, cursor, limit=400)
                seen += page.records
                assert page.cursor.position >= cursor.position
                cursor = page.cursor
                if not page.more and len(seen) < expected:
                    await bell.wait(SECOND)
        return seen

    readers = [
        follow(Topic(TENANT), writers * events),
        follow(Topic(TENANT, "cb0"), writers * events // 2),
        follow(Topic(TENANT, "cb1", "t1"), events),
    ]
    seen, *narrower = (await asyncio.gather(*readers, *(write(writer) for writer in range(writers))))[: len(readers)]
    assert seen is not None
    positions = [record.position for record in seen]
    assert positions == sorted(set(positions))
    for writer in range(writers):
        own = [record for record in seen if record.topic.subject == f"t{writer}"]
        assert texts(own) == [f'{{"text":"{writer}:{n}"}}' for n in range(events)]
        assert [record.number for record in own] == [*range(1, events + 1)]
    for topic, found in zip((Topic(TENANT, "cb0"), Topic(TENANT, "cb1", "t1")), narrower, strict=True):
        assert found is not None
        assert [record.position for record in found] == [
            record.position for record in seen if topic.covers(record.topic)
        ]


WRITERS: Final[tuple[Example, ...]] = (
    a_guard_lets_the_holder_speak,
    a_batch_that_is_sent_again_changes_nothing,
    the_head_of_the_output_is_swapped,
    resent_batches_meet_wherever_they_race,
    a_stale_holder_never_speaks_after_a_new_claim,
    a_reader_misses_nothing_while_others_write,
)
