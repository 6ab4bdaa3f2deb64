"""What only a server can promise: processes share it, it may go away and come back, and it says what is wrong."""

import asyncio
import atexit
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

import pytest
from attrs import evolve

from codetether_adapters.redis import listening, open_backend
from codetether_adapters.redis.address import address
from codetether_adapters.redis.greeting import require_fit
from codetether_adapters.redis.tail import Tail
from codetether_adapters.redis.wakeups import Wakeups
from codetether_core.codebases import Codebase
from codetether_core.errors import CodeTetherError, CursorUnknown, Invalid, Unavailable
from codetether_core.events import READY, Guard, Record, Topic
from codetether_core.ids import CodebaseId, SessionId, TaskId
from codetether_core.ports import Backend
from codetether_core.sessions import Session
from contracts.ports import event_log_contract, notifier_contract, processes_contract
from contracts.ports.harness import OpenBackend, insist
from contracts.ports.samples import CODEBASE, NOW, OTHER_TENANT, SECOND, TENANT, claimed, new_task, note, output
from tests.servers.valkey import Valkey, ValkeyCluster, fresh, own_cluster, own_server

pytestmark = pytest.mark.anyio

TOPIC = Topic.task(TENANT, CODEBASE, TaskId("t"))


def share() -> OpenBackend:
    return partial(open_backend, fresh(own_server().url))


def share_cluster() -> OpenBackend:
    return partial(open_backend, fresh(own_cluster().url, "shards=4"))


def share_strictly() -> OpenBackend:
    return partial(open_backend, fresh(_careful_server().url), strict=True)


@cache
def _careful_server() -> Valkey:
    careful = Valkey("--appendonly", "yes", "--appendfsync", "always").start()
    atexit.register(careful.close)
    return careful


TestProcesses = processes_contract(share)
TestProcessesOnACluster = processes_contract(share_cluster)
TestStrictLog = event_log_contract(lambda: share_strictly()())
TestStrictNotifier = notifier_contract(lambda: share_strictly()())


@contextmanager
def server(*settings: str) -> Iterator[Valkey]:
    own = Valkey(*settings)
    try:
        yield own.start()
    finally:
        own.close()


async def refusal(url: str) -> CodeTetherError:
    with pytest.raises(CodeTetherError) as caught:
        async with open_backend(url):
            pytest.fail("it opened")
    assert caught.value.hint
    return caught.value


# ------------------------------------------------------------------ what others write


@pytest.mark.parametrize("share", [share, share_cluster, share_strictly])
async def test_what_is_told_while_an_answer_is_on_its_way_is_read_next(
    share: Callable[[], OpenBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bell of a second record is heard between the server's answer with the first one and our reading of that."""
    monkeypatch.setattr(listening, "_QUIET", 3600.0)  # no second look while all is quiet
    opener, read, hear, told, heard = share(), Tail._read, Tail.heard, list[int](), asyncio.Event()
    async with opener() as here, opener() as there:

        async def overtaken(tail: Tail, shard: int, after: int, limit: int) -> Any:
            reply = await read(tail, shard, after, limit)
            if tail._notifier is there.notifier and reply[2] and not told:
                told.append(int(reply[0]))
                await here.log.append([note(TOPIC, "two")])
                await heard.wait()
            return reply

        def notice(tail: Tail, shard: int, head: int) -> None:
            hear(tail, shard, head)
            if told and head > told[0]:
                heard.set()

        cursor, seen = await there.log.head(), list[Record]()
        async with asyncio.timeout(60):
            with monkeypatch.context() as patch, there.notifier.listen(TOPIC) as bell:
                patch.setattr(Tail, "_read", overtaken)
                patch.setattr(Tail, "heard", notice)
                await here.log.append([note(TOPIC, "one")])
                while len(seen) < 2:
                    await bell.wait()
                    page = await there.log.read(TOPIC, cursor)
                    seen.extend(page.records)
                    cursor = page.cursor
    assert told and [each.number for each in seen] == [1, 2]


@pytest.mark.parametrize("share", [share, share_cluster, share_strictly])
async def test_what_is_written_while_a_store_is_opened_is_known_to_it(
    share: Callable[[], OpenBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between a look at the log's end and the first bell that can be heard."""
    monkeypatch.setattr(listening, "_QUIET", 3600.0)
    opener, find_end = share(), Tail.open
    async with opener() as here:
        start = await here.log.head()

        async def overtaken(tail: Tail) -> None:
            await find_end(tail)
            await here.log.append([note(TOPIC, "one")])

        monkeypatch.setattr(Tail, "open", overtaken)
        async with opener() as there:
            assert (await here.log.head()).position == (await there.log.head()).position != start.position


# ------------------------------------------------------------------ what is wrong with an address or a server


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://h/0", "must begin with one of"),
        ("redis://", "names no server"),
        ("redis://h:x/0", "a port that is no number"),
        ("redis://h:66666/0", "a port that is no number"),
        ("redis://h,i/0", "several servers"),
        ("redis://h/one", "a database that is no number"),
        ("redis+cluster://h/1", "a cluster has one only"),
        ("redis://h/0?nope=1", "not known: nope"),
        ("redis://h/0?shards=0", "from 1 to 64"),
        ("redis://h/0?shards=65", "from 1 to 64"),
        ("redis://h/0?shards=x", "from 1 to 64"),
        ("rediss://h/0?ca=/none", "not there: /none"),
        (f"redis://h/0?ca={__file__}", "names ca, and speaks no TLS"),
        (f"rediss://h/0?key={__file__}", "a key and no certificate"),
        ("redis://h/0?prefix=", "a prefix that is empty"),
        ("redis://h/0?prefix={a}", "a prefix that is empty or has braces"),
    ],
)
async def test_a_wrong_address_is_refused(url: str, problem: str) -> None:
    """The field is named, what is wrong, and what a right one looks like."""
    error = await refusal(url)
    assert isinstance(error, Invalid) and error.field == "store" and problem in error.problem


def test_an_address_is_taken_apart() -> None:
    """Names and passwords may have any characters; IPv6 has brackets."""
    read = address(f"rediss+cluster://a%40b:p%2Fw@[::1]:7000,h?shards=8&prefix=x&ca={__file__}")
    assert read.servers == (("::1", 7000), ("h", 6379)) and (read.user, read.password) == ("a@b", "p/w")
    assert (read.tls, read.cluster, read.shards, read.prefix) == (True, True, 8, "x")
    assert read.ca == __file__ and "p/w" not in read.name


async def test_nobody_there() -> None:
    """It says where it looked."""
    with server() as gone:
        url = gone.url
    error = await refusal(url)
    assert isinstance(error, Unavailable) and "does not answer" in error.message and str(gone.port) in error.message


async def test_a_wrong_password_is_told_and_not_shown() -> None:
    """At once, without trying again and again."""
    with server("--requirepass", "right") as locked:
        async with open_backend(locked.url.replace("//", "//:right@")) as backend:
            await backend.ping()
        for url in (locked.url, locked.url.replace("//", "//:wrong@")):
            error = await refusal(url)
            assert isinstance(error, Unavailable) and "password" in error.hint and "wrong@" not in error.message


async def test_something_else_at_our_key_is_left_alone() -> None:
    """Whatever its type, it is another program's."""
    own = own_server()
    for command in (("SET", "x"), ("HSET", "a", "b")):
        url = fresh(own.url)
        key = f"{address(url).prefix}:{{00}}:meta"
        own.ask(command[0], key, *command[1:])
        error = await refusal(url)
        assert isinstance(error, Invalid) and key in error.problem


async def test_the_number_of_shards_is_fixed() -> None:
    """Another one is refused, and the right one named; who asks for none gets what there is."""
    url = fresh(own_server().url)
    async with open_backend(f"{url}&shards=3") as backend:
        await backend.tasks.add(new_task())
    error = await refusal(f"{url}&shards=2")
    assert isinstance(error, Invalid) and "3 shards" in error.problem and "shards=3" in error.hint
    async with open_backend(url) as backend:
        assert await backend.tasks.get(TENANT, TaskId("t")) == new_task()


async def test_a_replica_takes_no_writes() -> None:
    """It is refused before anybody tries."""
    with server("--replicaof", f"127.0.0.1 {own_server().port}") as replica:
        error = await refusal(replica.url)
    assert isinstance(error, Unavailable) and "replica" in error.message and "primary" in error.hint


async def test_one_of_a_cluster_is_no_server_alone_and_the_other_way_round() -> None:
    """Each is told how to write the other."""
    one = await refusal(own_cluster().masters[0].url)
    assert isinstance(one, Invalid) and "redis+cluster://" in one.hint
    alone = await refusal(f"redis+cluster://127.0.0.1:{own_server().port}")
    assert "cluster" in alone.message


def test_a_server_may_be_too_old() -> None:
    """Redis 7.0 is the first with what we need."""
    asked = address("redis://h/0")
    with pytest.raises(Unavailable, match=r"version 6\.2\.14"):
        require_fit({"redis_version": "6.2.14"}, asked, "h:6379")
    require_fit({"redis_version": "7.0.0"}, asked, "h:6379")


async def test_a_user_who_may_not_hear_the_bells_is_told_so() -> None:
    """It does not open and then hear nothing."""
    with server() as own:
        own.ask("ACL", "SETUSER", "app", "on", ">pw", "~ct:*", "+@all", "resetchannels")
        error = await refusal(own.url.replace("//", "//app:pw@"))
        assert isinstance(error, Unavailable) and "channel" in error.message
        own.ask("ACL", "SETUSER", "app", "&ct:*", "-@admin", "-@dangerous", "+info")
        async with open_backend(own.url.replace("//", "//app:pw@")) as backend:
            await backend.tasks.add(new_task())


async def test_a_cache_is_no_store() -> None:
    """A server that throws away what it has no room for is refused."""
    with server("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru") as cache:
        error = await refusal(cache.url)
        assert isinstance(error, Unavailable) and "noeviction" in error.hint


# ------------------------------------------------------------------ several processes


@pytest.mark.parametrize("shared", [share, share_strictly])
async def test_another_process_hears_and_reads_in_order(shared: Callable[[], OpenBackend]) -> None:
    """Whatever one writes rings the other's bells and is in its log, in the same order at the same positions."""
    opener = shared()
    async with opener() as writing, opener() as reading:
        start = await reading.log.head()
        ready = Topic(TENANT, READY)
        with reading.notifier.listen(TOPIC) as bell, reading.notifier.listen(ready) as offers:
            await writing.tasks.add(task := new_task(), output(task, "0"))
            assert await bell.wait(30 * SECOND) and await offers.wait(30 * SECOND)
            await asyncio.gather(*(writing.log.append(output(task, str(n))) for n in range(1, 300)))
            seen = [*(await reading.log.read(TOPIC, start)).records]
            while len(seen) < 300:
                assert await bell.wait(30 * SECOND)
                seen = [*(await reading.log.read(TOPIC, start)).records]
            told = (await writing.log.read(TOPIC, start)).records
            assert [(record.position, record.body) for record in seen] == [
                (record.position, record.body) for record in told
            ]
            await writing.notifier.notify([ready])
            assert await offers.wait(30 * SECOND)


async def test_a_cursor_is_known_to_who_has_not_read_so_far() -> None:
    """What one replica gave out the other catches up with; one that nobody gave out is refused."""
    url = fresh(own_server().url)
    async with open_backend(url) as first, open_backend(url) as second:
        cursor = await first.log.head()
        for n in range(50):
            await first.log.append([note(TOPIC, str(n))])
            cursor = await first.log.head()
            page = await second.log.read(TOPIC, cursor)
            assert (page.records, page.cursor) == ((), cursor)
        with pytest.raises(CursorUnknown):
            await second.log.read(TOPIC, evolve(cursor, position=cursor.position + 1))


@pytest.mark.parametrize("shared", [share, share_cluster])
async def test_a_reader_may_go_on_at_another_replica(shared: Callable[[], OpenBackend]) -> None:
    """Page by page at one and the other, over shards that two write to: each record once, each subject in order."""
    opener = shared()
    topics = [Topic(TENANT, f"cb{n}", "s") for n in range(6)]
    async with asyncio.timeout(60), opener() as first, opener() as second:
        cursor = await first.log.head()

        async def write(backend: Backend, name: str) -> None:
            for n in range(30):
                await backend.log.append([note(topics[(n + len(name)) % 6], f"{name}{n}" + "x" * 50)])

        await asyncio.gather(write(first, "a"), write(second, "bb"))
        seen: list[tuple[Topic, int]] = []
        backends = [first, second]
        while len(seen) < 60:
            # Each may be behind the other for a moment, and is asked in turn until it has caught up.
            page = await backends[0].log.read(Topic(TENANT), cursor, limit=300)
            seen += ((record.topic, record.number) for record in page.records)
            assert page.cursor.position >= cursor.position
            cursor = page.cursor
            backends.reverse()
            await asyncio.sleep(0)
        async with opener() as late:
            assert not (await late.log.read(Topic(TENANT), cursor)).records
            far = await late.log.read(Topic(TENANT), await late.log.start())
            assert len(far.records) == 60
    assert len(seen) == len(set(seen)) == 60
    for topic in topics:
        numbers = [number for where, number in seen if where == topic]
        assert numbers == [*range(1, len(numbers) + 1)]


async def test_reopening_keeps_everything() -> None:
    """Tasks, indexes, the log with its epoch, positions, numbers and ordinals; far readers are served by the server."""
    url, task = fresh(own_server().url), new_task(start_by=NOW + SECOND)
    running = claimed(task)
    async with open_backend(url) as backend:
        await backend.tasks.add(task, [note(TOPIC)])
        await backend.tasks.replace(task, running, [note(TOPIC)], op="o")
        await backend.log.append(output(task, "a", "b"), Guard(task.tenant, task.id, running.fence, 0))
        start, head = await backend.log.start(), await backend.log.head()
    async with open_backend(url) as backend:
        assert await backend.tasks.get(TENANT, task.id) == running
        assert (await backend.log.start(), await backend.log.head()) == (start, head)
        await backend.tasks.replace(task, running, [note(TOPIC)], op="o")
        await backend.log.append(output(task, "b", "c"), Guard(task.tenant, task.id, running.fence, 1))
        pages = [await backend.log.read(TOPIC, start, limit=1)]
        while pages[-1].more:
            pages.append(await backend.log.read(TOPIC, pages[-1].cursor, limit=1))
        records = [record for page in pages for record in page.records]
        assert [record.number for record in records] == [1, 2, 3, 4, 5]
        assert not (await backend.log.read(Topic(OTHER_TENANT), start)).records
        assert abs(await backend.now() - datetime.now(UTC)) < timedelta(seconds=60)


# ------------------------------------------------------------------ what goes wrong meanwhile


async def test_a_server_that_comes_back_is_used_again() -> None:
    """Until then every call says that it is unavailable; then all goes on by itself, bells and log included."""
    with server("--appendonly", "yes", "--appendfsync", "always") as own:
        async with open_backend(own.url) as first, open_backend(own.url) as second:
            task = new_task()
            await first.tasks.add(task, output(task, "0"))
            start = await second.log.start()
            own.kill()
            with pytest.raises(Unavailable) as caught:
                await first.ping()
            assert caught.value.hint
            own.start()
            await insist(lambda: first.tasks.replace(task, claimed(task), output(task, "1"), op="o"))
            with second.notifier.listen(TOPIC) as bell:
                while len((await insist(lambda: second.log.read(TOPIC, start))).records) < 2:
                    assert await bell.wait(30 * SECOND)
            assert (await second.log.head()).epoch == start.epoch


async def test_a_server_that_lost_its_memory_has_another_log(caplog: pytest.LogCaptureFixture) -> None:
    """Who waits is woken, and told that his cursor is unknown; the store is there again, empty."""
    with server("--appendonly", "no") as own:
        async with open_backend(own.url) as first, open_backend(own.url) as second:
            await first.log.append([note(TOPIC)] * 3)
            await second.log.read(TOPIC, cursor := await first.log.head())
            with second.notifier.listen(Topic(OTHER_TENANT)) as bell:
                own.kill()
                own.start()
                assert await bell.wait(30 * SECOND)
            assert "lost what it had acknowledged" in caplog.text
            with pytest.raises(CursorUnknown):
                await second.log.read(TOPIC, cursor)
            await insist(lambda: first.log.append([note(TOPIC)]))
            with pytest.raises(CursorUnknown):
                await first.log.read(TOPIC, cursor)
            assert await first.log.count(TOPIC, ["note"]) == 1


@pytest.mark.parametrize("others", [False, True])
async def test_a_log_that_goes_back_is_noticed(others: bool, caplog: pytest.LogCaptureFixture) -> None:
    """A failover lost the last record, or another was written in its place: the epoch changes, for everybody."""
    own, url = own_server(), fresh(own_server().url)
    prefix = f"{address(url).prefix}:{{00}}:"
    async with open_backend(url) as first, open_backend(url) as second:
        await first.log.append([note(TOPIC, str(n)) for n in range(5)])
        cursor = await first.log.head()
        await second.log.read(TOPIC, cursor)
        *kept, (last, fields) = own.ask("XRANGE", f"{prefix}events", "-", "+")
        own.ask("DEL", f"{prefix}events")
        for id, values in (*kept, (last, {**fields, "b": "{}"})) if others else kept:
            own.ask("XADD", f"{prefix}events", id, *(text for pair in values.items() for text in pair))
        own.ask("HSET", f"{prefix}log", "head", 5 if others else 4)
        waiting = Topic(OTHER_TENANT)
        with first.notifier.listen(waiting) as bell, second.notifier.listen(waiting) as other:
            own.ask("CLIENT", "KILL", "TYPE", "pubsub")
            assert await bell.wait(30 * SECOND) and await other.wait(30 * SECOND)
        for backend in (first, second):
            with pytest.raises(CursorUnknown):
                await backend.log.read(TOPIC, cursor)
        assert (await first.log.head()).epoch == (await second.log.head()).epoch != cursor.epoch
    assert "lost what it had acknowledged" in caplog.text


async def test_it_closes_although_a_connection_is_lost_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task group that is cancelled tells of its children's errors alone."""

    async def hear(self: Wakeups, server: object, shards: object, heard: asyncio.Event) -> None:
        heard.set()
        try:
            await asyncio.sleep(3600)
        finally:
            raise ConnectionError("lost")

    monkeypatch.setattr(Wakeups, "_hear", hear)
    async with asyncio.timeout(10):
        async with open_backend(fresh(own_server().url)) as backend:
            await backend.ping()


async def test_a_server_may_forget_our_scripts() -> None:
    """They are sent again."""
    own = own_server()
    async with open_backend(fresh(own.url)) as backend:
        own.ask("SCRIPT", "FLUSH")
        await backend.tasks.add(new_task())
        own.ask("SCRIPT", "FLUSH")
        assert await backend.tasks.count(TENANT)


async def test_a_write_whose_reply_is_lost_is_done_once() -> None:
    """Without an operation's name too: adds, swaps, removals and appends are known again when they are repeated."""
    async with reply_loser(own_server()) as (url, lose), open_backend(fresh(url)) as backend:
        task, record = new_task(), codebase()
        session = Session(
            id=SessionId("s"), tenant=TENANT, codebase=CODEBASE, created_at=NOW, updated_at=NOW, synced_at=NOW
        )
        topics = [Topic(TENANT, f"lost{n}") for n in range(6)]
        writes: list[Callable[[], Awaitable[None]]] = [
            lambda: backend.tasks.add(task, [note(topics[0])]),
            lambda: backend.tasks.replace(task, claimed(task), [note(topics[1])]),
            lambda: backend.log.append([note(topics[2])]),
            lambda: backend.codebases.add(record, [note(topics[3])]),
            lambda: backend.codebases.remove(record, [note(topics[4])]),
            lambda: backend.sessions.put(None, session, (), [note(topics[5])]),
        ]
        for write, topic in zip(writes, topics, strict=True):
            start = await backend.log.head()
            lose()
            await write()
            assert len((await backend.log.read(topic, start)).records) == 1


def codebase() -> Codebase:
    return Codebase(id=CodebaseId("1"), tenant=TENANT, name="n", path="/p", registered_at=NOW, updated_at=NOW)


@asynccontextmanager
async def reply_loser(own: Valkey) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """Something between us and the server that, when told to, passes a script on and hangs up in place of its reply."""
    losing = asyncio.Event()
    open_ends: set[asyncio.StreamWriter] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, script: asyncio.Event) -> None:
        while data := await reader.read(65536):
            if b"EVALSHA" in data:
                script.set()
            if b"EVALSHA" not in data and script.is_set() and losing.is_set():
                losing.clear()
                break
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", own.port)
        open_ends.update((writer, to_server))
        script = asyncio.Event()
        await asyncio.gather(pass_on(reader, to_server, script), pass_on(from_server, writer, script))

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    try:
        yield f"redis://127.0.0.1:{port}/0", losing.set
    finally:
        listener.close()
        for end in open_ends:
            end.close()


# ------------------------------------------------------------------ a cluster that loses a master


async def test_a_replica_takes_over() -> None:
    """Its shards are written to and heard again by themselves, with all that was there; the others never noticed."""
    cluster = ValkeyCluster(replicas=1)
    try:
        url = fresh(cluster.start().url)
        async with open_backend(url) as backend, open_backend(url) as other:
            start = await other.log.start()
            tasks = [new_task(f"t{n}", codebase=CodebaseId(f"cb{n}")) for n in range(16)]
            for task in tasks:
                await backend.tasks.add(task, output(task, "before"))
            await asyncio.to_thread(cluster.catch_up)
            cluster.masters[0].kill()
            with other.notifier.listen(Topic(TENANT)) as bell:
                for task in tasks:
                    await insist(partial(backend.tasks.replace, task, claimed(task), output(task, "after"), op=task.id))
                told = 0
                while told < 2 * len(tasks):
                    assert await bell.wait(30 * SECOND)
                    told = len((await insist(lambda: other.log.read(Topic(TENANT), start))).records)
            for task in tasks:
                assert await other.tasks.get(TENANT, task.id) == claimed(task)
    finally:
        cluster.close()
