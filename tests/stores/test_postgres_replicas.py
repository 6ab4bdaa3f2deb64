"""Several replicas on one database: each hears the others, and all see one log in one order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from typing import TypeVar

import psycopg
import pytest

from codetether_adapters.postgres import following, open_backend
from codetether_adapters.postgres.address import Address
from codetether_adapters.postgres.connection import Row
from codetether_adapters.postgres.encoding import microseconds
from codetether_adapters.postgres.notices import Notice, notices
from codetether_adapters.postgres.reader import Overseer
from codetether_adapters.postgres.tail import Tail
from codetether_adapters.redis import open_channel
from codetether_adapters.tail import LocalNotifier
from codetether_core.errors import CursorUnknown, StaleLease, Unavailable
from codetether_core.events import READY, Cursor, Guard, Record, Topic
from codetether_core.ids import CodebaseId, TaskId, TenantId
from codetether_core.ports import Backend, Channel, OpenChannel
from codetether_core.tasks import requeue
from contracts.ports.harness import forget
from contracts.ports.samples import CODEBASE, NOW, OTHER_TENANT, SECOND, TENANT, claimed, new_task, note, output
from tests.servers.postgres import new_store, overseeing
from tests.servers.valkey import Valkey, fresh, own_server

pytestmark = pytest.mark.anyio

TOPIC = Topic.task(TENANT, CODEBASE, TaskId("t"))
LONG = 30 * SECOND

T = TypeVar("T")


@pytest.fixture
def url() -> str:
    return new_store()


@pytest.fixture(params=["own", "redis"])
def channel(request: pytest.FixtureRequest) -> OpenChannel | None:
    """How they tell each other: over the database's own channel, or another one."""
    return None if request.param == "own" else partial(open_channel, fresh(own_server().url))


@pytest.fixture
async def replicas(url: str, channel: OpenChannel | None) -> AsyncIterator[tuple[Backend, Backend]]:
    async with AsyncExitStack() as stack:
        yield (
            await stack.enter_async_context(open_backend(url, open_channel=channel)),
            await stack.enter_async_context(open_backend(url, open_channel=channel)),
        )


@pytest.fixture
def told_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks by himself: what is not told is not found."""
    monkeypatch.setattr(following, "_POLL", 3600.0)


async def follow(backend: Backend, topic: Topic, start: Cursor, count: int) -> list[Record]:
    """What a watcher sees until it has seen so much: listen, read, wait."""
    seen: list[Record] = []
    cursor = start
    with backend.notifier.listen(topic) as bell:
        while len(seen) < count:
            page = await backend.log.read(topic, cursor, limit=2000)
            assert page.cursor.position >= cursor.position
            seen += page.records
            cursor = page.cursor
            if not page.more and len(seen) < count:
                assert await bell.wait(LONG), f"{len(seen)} of {count}"
    return seen


async def until(look: Callable[[], Awaitable[T]], fits: Callable[[T], bool]) -> None:
    """Look again and again until it fits."""
    async with asyncio.timeout(LONG.total_seconds()):
        while True:
            if fits(await look()):
                return
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("told_only")
async def test_one_writes_and_the_others_bell_rings(replicas: tuple[Backend, Backend]) -> None:
    """For events, for a task that became ready, and for what is notified by hand; never for another tenant."""
    here, there = replicas
    start = await there.log.head()
    task = new_task("t2")
    with (
        there.notifier.listen(TOPIC) as events,
        there.notifier.listen(Topic(TENANT, READY)) as ready,
        there.notifier.listen(Topic(TENANT, "by hand")) as by_hand,
        there.notifier.listen(Topic(OTHER_TENANT)) as foreign,
    ):
        await here.log.append([note(TOPIC, "one"), note(TOPIC, "two")])
        assert await events.wait(LONG)
        assert not await ready.wait(0 * SECOND)
        assert [record.number for record in (await there.log.read(TOPIC, start)).records] == [1, 2]
        await here.tasks.add(task)
        assert await ready.wait(LONG)
        assert [*await there.tasks.ready(await there.tasks.lanes(TENANT, limit=10), 10)] == [task]
        await here.notifier.notify([Topic(TENANT, "by hand")])
        assert await by_hand.wait(LONG)
        assert not await foreign.wait(0 * SECOND)


@pytest.mark.usefixtures("told_only")
async def test_no_event_is_missed_while_many_write(replicas: tuple[Backend, Backend]) -> None:
    """Watchers on both replicas see the same events in the same order, though commits of both interleave; refused and
    quiet writes between them leave no gap.
    """
    start = await replicas[0].log.head()
    writers, events = 8, 30

    async def write(writer: int) -> None:
        backend = replicas[writer % 2]
        task = new_task(f"t{writer}")
        await backend.tasks.add(task)
        for n in range(0, events, 2):
            await backend.log.append(output(task, f"{n}", f"{n + 1}"))
            with pytest.raises(StaleLease):
                await backend.log.append(output(task, "stale"), Guard(task.tenant, task.id, "none"))

    watching = [
        follow(backend, topic, start, count)
        for backend in replicas
        for topic, count in ((Topic(TENANT), writers * events), (Topic.task(TENANT, CODEBASE, TaskId("t3")), events))
    ]
    seen = await asyncio.gather(*watching, *(write(writer) for writer in range(writers)))
    everything, own, everything_there, own_there = (records or [] for records in seen[:4])
    positions = [record.position for record in everything]
    assert positions == [*range(start.position + 1, start.position + 1 + writers * events)]
    assert [record.position for record in everything_there] == positions
    for records in (own, own_there):
        assert [record.number for record in records] == [*range(1, events + 1)]
        assert [record.body for record in records] == [b'{"text":"%d"}' % n for n in range(events)]


async def test_a_watcher_may_move_to_a_replica_that_is_behind(replicas: tuple[Backend, Backend]) -> None:
    """A cursor that one replica gave is known to the other at once; one that nobody gave is not."""
    here, there = replicas
    head = await here.log.head()
    for n in range(20):
        await here.log.append([note(TOPIC, str(n))])
        head = await here.log.head()
        assert not (await there.log.read(TOPIC, head)).records
    with pytest.raises(CursorUnknown):
        await there.log.read(TOPIC, Cursor(head.epoch, head.position + 1))


async def test_who_wrote_sees_what_was_there_before(replicas: tuple[Backend, Backend]) -> None:
    """A write through one replica brings its readers up to date with the other's, whatever the notices do."""
    here, there = replicas
    for n in range(20):
        await here.log.append([note(TOPIC, f"here {n}")])
        await there.log.append([note(TOPIC, f"there {n}")])
        records = (await there.log.read(TOPIC, await there.log.start())).records
        assert len(records) == 2 * n + 2


@pytest.mark.usefixtures("told_only")
async def test_what_was_seen_in_the_tables_is_in_the_log(url: str) -> None:
    """Who has found a record, of which nobody told, reads up to it at least: so a copy has the end of every task."""
    elsewhere = partial(open_channel, fresh(own_server().url))
    async with open_backend(url, open_channel=elsewhere) as here, open_backend(url) as there:
        start = await there.log.head()
        await here.log.append([note(TOPIC, str(n)) for n in range(3)])
        (seen,) = await there.log.latest(TOPIC, ["note"], 1)
        assert [record.position for record in (await there.log.read(TOPIC, start)).records][-1] == seen.position


async def test_a_fence_holds_across_replicas(replicas: tuple[Backend, Backend]) -> None:
    """Once the other replica has burnt a grant, its holder is refused here; a resent batch meets itself there."""
    here, there = replicas
    task = new_task()
    running = claimed(task)
    await here.tasks.add(task)
    await here.tasks.replace(task, running)
    for backend in (here, there, here):
        await backend.log.append(output(task, "0", "1"), Guard(task.tenant, task.id, running.fence, 0))
    assert await there.log.count(TOPIC, ["task.output"]) == 2
    await there.tasks.replace(running, requeue(running, NOW))
    with pytest.raises(StaleLease):
        await here.log.append(output(task, "2"), Guard(task.tenant, task.id, running.fence, 2))


async def test_a_trim_is_known_everywhere(replicas: tuple[Backend, Backend]) -> None:
    """A cursor from before it is refused by the other replica too, once it has looked."""
    here, there = replicas
    start = await there.log.start()
    await here.log.append([note(TOPIC)] * 3)
    assert await forget(here.log, NOW + SECOND, 2) == 2
    await until(there.log.start, lambda cursor: cursor.position == 2)
    with pytest.raises(CursorUnknown):
        await there.log.read(TOPIC, start)
    assert len((await there.log.read(TOPIC, await there.log.start())).records) == 1


@pytest.mark.usefixtures("told_only")
@pytest.mark.parametrize("channel", ["own"], indirect=True)
async def test_a_listening_session_that_ends_is_replaced(url: str, replicas: tuple[Backend, Backend]) -> None:
    """What was missed meanwhile is read, and everybody is woken, for what was said meanwhile is not said again."""
    here, there = replicas
    start = await there.log.head()
    with there.notifier.listen(Topic(TENANT, READY)) as ready:
        with psycopg.connect(url, autocommit=True) as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE 'LISTEN %' AND datname = current_database()"
            ).fetchall()
        assert len(ended) == 2
        await here.tasks.add(new_task(), [note(TOPIC, "meanwhile")])
        assert await ready.wait(LONG)
    assert [record.body for record in await follow(there, TOPIC, start, 1)] == [b'{"text":"meanwhile"}']
    await there.notifier.ping()


async def test_another_channel_takes_the_place_of_the_own_one(url: str) -> None:
    """No session listens, and none is notified."""
    opened = partial(open_backend, url, open_channel=partial(open_channel, fresh(own_server().url)))
    async with opened() as here, opened():
        with psycopg.connect(url, autocommit=True) as connection:
            listening = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query ~* 'listen'"
            assert connection.execute(f"{listening} AND pid <> pg_backend_pid()").fetchall() == []
            connection.execute("LISTEN codetether")
            await here.tasks.add(new_task(), [note(TOPIC)])
            await here.notifier.notify([TOPIC])
            assert [*connection.notifies(timeout=0)] == []


async def test_wake_ups_that_reach_nobody_are_told_of_and_cost_time_only() -> None:
    """Each replica finds by itself what the others wrote, and knows that it is not told."""
    server = Valkey().start()
    try:
        opened = partial(open_backend, new_store(), open_channel=partial(open_channel, server.url))
        async with opened() as here, opened() as there:
            start = await there.log.head()
            for backend in (here, there):
                await backend.notifier.ping()
            server.kill()
            for backend in (here, there):
                await until(partial(reachable, backend), lambda well: not well)
            await here.log.append([note(TOPIC, "unheard")])
            assert len(await follow(there, TOPIC, start, 1)) == 1
            with there.notifier.listen(Topic(OTHER_TENANT)) as anybody:
                server.start()
                assert await anybody.wait(LONG)
            for backend in (here, there):
                await until(partial(reachable, backend), lambda well: well)
    finally:
        server.close()


async def reachable(backend: Backend) -> bool:
    """Whether its wake-ups reach everybody."""
    try:
        await backend.notifier.ping()
    except Unavailable as error:
        assert "notifier" in error.message
        return False
    return True


async def test_a_database_is_known_by_one_name() -> None:
    """All replicas agree on it, and no other database has it, nor does a new epoch change it."""
    scopes = list[str]()

    def note_scope(scope: str) -> AbstractAsyncContextManager[Channel]:
        scopes.append(scope)
        return open_channel(fresh(own_server().url), scope)

    one, other = new_store(), new_store()
    for url in (one, other):
        async with open_backend(url, open_channel=note_scope), open_backend(url, open_channel=note_scope):
            pass
    with psycopg.connect(one) as connection:
        connection.execute("UPDATE codetether.meta SET value = 'another' WHERE name = 'epoch'")
    async with open_backend(one, open_channel=note_scope):
        pass
    first, second = scopes[0], scopes[2]
    assert first and second and first != second
    assert scopes == [first, first, second, second, first]


async def test_what_nobody_announced_is_found(url: str, replicas: tuple[Backend, Backend]) -> None:
    """Notices may be lost: the log's end is asked for besides."""
    here, there = replicas
    start = await there.log.head()
    await here.log.append([note(TOPIC, "said")])
    await follow(there, TOPIC, start, 1)
    with overseeing(url) as connection:
        connection.execute(
            "INSERT INTO codetether.events SELECT position + 1, tenant, scope, subject, number + 1, kind, at, body"
            " FROM codetether.events"
        )
    assert len(await follow(there, TOPIC, start, 2)) == 2


@pytest.mark.parametrize("given_again", [False, True])
async def test_a_lost_end_of_the_log_begins_a_new_epoch(
    url: str, replicas: tuple[Backend, Backend], given_again: bool
) -> None:
    """A database that was set back, or failed over with a loss, gives positions twice: all cursors are refused."""
    here, there = replicas
    await here.log.append([note(TOPIC)] * 5)
    head = await here.log.head()
    await follow(there, TOPIC, await there.log.start(), 5)
    with overseeing(url) as connection, connection.transaction():
        connection.execute("DELETE FROM codetether.events WHERE position > 2")
        if given_again:
            connection.execute(
                "INSERT INTO codetether.events SELECT position + 2, tenant, scope, subject, number + 9, kind, at, body"
                " FROM codetether.events UNION ALL SELECT 5, tenant, scope, subject, 13, kind, at, body"
                " FROM codetether.events WHERE position = 1"
            )
    for backend in replicas:
        await until(backend.log.head, lambda cursor: cursor.epoch != head.epoch)
    assert await here.log.head() == await there.log.head()
    for backend in replicas:
        with pytest.raises(CursorUnknown):
            await backend.log.read(TOPIC, head)
        await backend.log.append([note(TOPIC, "after")])
    kept = 5 if given_again else 2
    seen = await follow(there, TOPIC, await there.log.start(), kept + 2)
    assert [record.position for record in seen] == [*range(1, kept + 3)]


async def test_a_far_reader_is_served_from_the_tables(url: str, replicas: tuple[Backend, Backend]) -> None:
    """What was written before a process began joins what is in its ring without a seam, however many rows it is."""
    here, _ = replicas
    start = await here.log.head()
    topics = [Topic.task(TENANT, CodebaseId("cb"), TaskId(f"t{n % 3}")) for n in range(1500)]
    await here.log.append([note(topic, str(n)) for n, topic in enumerate(topics)])
    async with open_backend(url) as late:
        await late.log.append([note(topics[0], str(n)) for n in range(1500, 1510)])
        for limit in (20_000, 10**9):
            seen, cursor, more = list[bytes](), start, True
            while more:
                page = await late.log.read(Topic(TENANT), cursor, limit=limit)
                seen += [record.body for record in page.records]
                cursor, more = page.cursor, page.more
            assert seen == [b'{"text":"%d"}' % n for n in range(1510)]


async def test_what_is_published_while_it_is_read_is_there_once() -> None:
    """A commit of our own may be in the answer to a question that was asked before we learned of it."""
    record = Record(1, 1, TOPIC, "note", NOW, b"{}")

    class Reading(Overseer):
        async def rows(self, sql: str, *values: object) -> list[Row]:
            tail.publish(0, [record], ())
            return [(1, TOPIC.tenant, TOPIC.scope, TOPIC.subject, 1, "note", microseconds(NOW), b"{}")]

    tail = Tail(Reading(Address.parse("postgresql://nowhere/none")), LocalNotifier())
    tail.publish(1, [], ())
    await tail.settle()
    assert [*tail.ring.after(TOPIC, 0)] == [record]


def test_notices_fit_however_many_they_are_about() -> None:
    """Each topic is told of once, in texts that the server takes."""
    topics = [Topic(TenantId(f"tenant é {n}" * 5), READY, str(n)) for n in range(500)]
    texts = [*notices("o", 7, [*topics, *topics, Topic(TenantId("x" * 9000))])]
    assert all(len(text.encode()) < 8000 for text in texts) and len(texts) > 1
    told = [Notice.parse(text) for text in texts]
    assert [topic for notice in told if notice for topic in notice.wake] == topics
    assert {(notice.origin, notice.head) for notice in told if notice} == {("o", 7)}
    assert [Notice.parse(text) for text in ("", "hello", "[1]", "{}", '["o",1,[["t"]]]')] == [None] * 5


async def test_whatever_goes_wrong_others_commits_are_heard_of(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake of ours is in the log, and is no reason to be deaf from then on."""
    monkeypatch.setattr(following, "_POLL", 0.01)
    async with open_backend(url) as one, open_backend(url) as other:
        failing = asyncio.Event()

        async def refresh(tail: Tail) -> None:
            failing.set()
            raise RuntimeError("a mistake")

        with monkeypatch.context() as broken:
            broken.setattr(Tail, "refresh", refresh)
            broken.setattr(Tail, "reach", refresh)
            await failing.wait()
            await other.tasks.add(new_task(), output(new_task(), "x"))
        start = await one.log.start()
        with one.notifier.listen(Topic(TENANT)) as bell:
            while not (await one.log.read(Topic(TENANT), start)).records:
                assert await bell.wait(LONG)
    assert "trying again" in caplog.text and "a mistake" in caplog.text
