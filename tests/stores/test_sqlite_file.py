"""What only a file can promise: it outlives its process, belongs to one, and says what is wrong with it."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from attrs import evolve

from codetether_adapters.sqlite import open_backend, schema
from codetether_adapters.sqlite.committer import Committer
from codetether_adapters.sqlite.connection import connect
from codetether_adapters.sqlite.schema import SCHEMA
from codetether_adapters.sqlite.transaction import Transaction
from codetether_adapters.sqlite.writer import Writer
from codetether_adapters.tail import encode
from codetether_core.codec import dump
from codetether_core.errors import CodeTetherError, Invalid, Unavailable
from codetether_core.events import Guard, Topic
from codetether_core.ids import TaskId
from codetether_core.ports import TaskOrder, TaskQuery
from contracts.ports.harness import forget
from contracts.ports.samples import (
    CODEBASE,
    MICROSECOND,
    NOW,
    SECOND,
    TENANT,
    claimed,
    end_of,
    new_task,
    note,
    output,
)

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
TOPIC = Topic.task(TENANT, CODEBASE, TaskId("t"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "store.db"


def url(path: Path) -> str:
    return f"sqlite://{path}"


async def refusal(path: Path) -> CodeTetherError:
    with pytest.raises(CodeTetherError) as caught:
        async with open_backend(url(path)):
            pytest.fail("it opened")
    assert caught.value.hint
    return caught.value


async def make(path: Path) -> None:
    async with open_backend(url(path)) as backend:
        await backend.log.append([note(TOPIC)])


async def test_reopening_keeps_everything(path: Path) -> None:
    """Tasks, indexes, the log with its epoch, positions, numbers and ordinals."""
    task = new_task(start_by=NOW + SECOND)
    running = claimed(task)
    guard = Guard(task.tenant, task.id, running.fence, 0)
    async with open_backend(url(path)) as backend:
        await backend.tasks.add(task, [note(TOPIC)])
        await backend.tasks.replace(task, running, [note(TOPIC)], op="o")
        await backend.tasks.add(waiting := new_task("waiting"))
        await backend.log.append(output(task, "a", "b"), guard)
        start, head = await backend.log.start(), await backend.log.head()
    async with open_backend(url(path)) as backend:
        assert await backend.tasks.get(TENANT, task.id) == running
        assert [*await backend.tasks.ready(await backend.tasks.lanes(TENANT, limit=100), 10)] == [waiting]
        assert await backend.tasks.next_due() == running.due_at
        assert (await backend.log.start(), await backend.log.head()) == (start, head)
        await backend.tasks.replace(task, running, [note(TOPIC)], op="o")
        await backend.log.append(output(task, "b", "c"), Guard(task.tenant, task.id, running.fence, 1))
        records = (await backend.log.read(TOPIC, start)).records
        assert [record.number for record in records] == [1, 2, 3, 4, 5]
        assert [record.body for record in records[2:]] == [b'{"text":"a"}', b'{"text":"b"}', b'{"text":"c"}']


async def test_a_trimmed_log_goes_on_where_it_was(path: Path) -> None:
    """An empty table is no reason to give a position twice."""
    await make(path)
    async with open_backend(url(path)) as backend:
        assert await forget(backend.log, NOW + SECOND, 10) == 1
        head = await backend.log.head()
    async with open_backend(url(path)) as backend:
        assert await backend.log.head() == head == await backend.log.start()
        await backend.log.append([note(TOPIC)])
        (record,) = (await backend.log.read(TOPIC, head)).records
        assert (record.position, record.number) == (head.position + 1, 2)


async def test_a_reader_far_behind_is_served_from_the_file(path: Path) -> None:
    """What fell out of the ring, or was written before this process, joins what is in it without a seam."""
    async with open_backend(url(path)) as backend:
        start = await backend.log.head()
        await backend.log.append([note(TOPIC, str(n)) for n in range(10)])
    async with open_backend(url(path)) as backend:
        await backend.log.append([note(TOPIC, str(n)) for n in range(10, 20)])
        for limit in (1, 40, 100_000):
            seen, cursor, more = [], start, True
            while more:
                page = await backend.log.read(TOPIC, cursor, limit=limit)
                seen += [record.body for record in page.records]
                cursor, more = page.cursor, page.more
            assert seen == [b'{"text":"%d"}' % n for n in range(20)]


async def test_the_log_tells_nothing_that_is_not_published(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has heard of a change from the log finds it in the task, although a thread sees the commit before us."""
    commit, published, committed = Committer.commit, list[Callable[[], None]](), asyncio.Event()

    def commit_only(self: Committer, finish: Callable[[sqlite3.Error | None], None], *, scrub: bool = False) -> None:
        def keep(failure: sqlite3.Error | None) -> None:
            published.append(partial(finish, failure))
            committed.set()

        commit(self, keep, scrub=scrub)

    async with open_backend(url(path)) as backend:
        task, log = new_task("t"), backend.log
        await backend.tasks.add(task, output(task, "one"))
        with monkeypatch.context() as patch:
            patch.setattr(Committer, "commit", commit_only)
            changing = asyncio.create_task(backend.tasks.replace(task, claimed(task), output(task, "two")))
            await committed.wait()
        kinds = ["task.output"]
        assert await backend.tasks.get(TENANT, task.id) == task
        assert len(await log.latest(TOPIC, kinds, 5)) == len(await log.slice(TOPIC, kinds, offset=0, limit=5)) == 1
        assert await log.count(TOPIC, kinds) == len(await log.search(TENANT, "t", kinds, 5)) == 1
        published.pop()()
        await changing
        assert len(await log.latest(TOPIC, kinds, 5)) == len(await log.slice(TOPIC, kinds, offset=0, limit=5)) == 2
        assert await log.count(TOPIC, kinds) == len(await log.search(TENANT, "t", kinds, 5)) == 2


def start(program: str, path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.stores.programs", program, url(path)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_kill_9_loses_nothing_that_was_acknowledged(path: Path) -> None:
    """A real process, killed in the middle of writing: whatever it said it had written is there, and whole."""
    with start("write", path) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline().strip() for _ in range(300)]
        writer.kill()
        # The last line may be cut; the others were said whole.
        acknowledged += writer.stdout.read().splitlines()[:-1]
    assert writer.returncode == -signal.SIGKILL

    async def check() -> None:
        async with open_backend(url(path)) as backend:
            for id in acknowledged:
                assert (await backend.tasks.get(TENANT, TaskId(id))).version == 1
            count = sum((await backend.tasks.count(TENANT)).values())
            assert await backend.log.count(Topic(TENANT), ["task.output"]) == count, "no task without its event"

    asyncio.run(check())


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    with start("hold", path) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "open\n"
        yield holder
        holder.kill()


async def test_a_second_process_is_refused(path: Path, holder: subprocess.Popen[str]) -> None:
    """One sentence that names the file, and what to do; the lock goes with its holder, however that ends."""
    error = await refusal(path)
    assert isinstance(error, Unavailable)
    assert str(path) in error.message and "in use" in error.message and "stop that process" in error.hint
    holder.kill()
    holder.wait()
    await make(path)


async def test_a_second_opening_in_this_process_is_refused(path: Path) -> None:
    """Two writers with positions of their own would give the same one twice."""
    async with open_backend(url(path)):
        assert "in use" in (await refusal(path)).message


def test_a_full_disk_fails_cleanly_and_recovers(path: Path) -> None:
    """Refused with the cause; nothing accepted is lost, and once there is room the same process goes on."""
    with start("crowd", path) as program:
        assert program.wait() == 0


def test_the_disk_is_waited_for(path: Path) -> None:
    """No killed process shows this, only a power cut does: each commit is synchronised, the log is written ahead."""
    asyncio.run(make(path))
    with closing(connect(path)) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_one_failing_operation_takes_no_other_with_it(path: Path) -> None:
    """They share a commit and nothing else: neither its rows nor its events are there."""
    async with open_backend(url(path)) as backend:
        await backend.tasks.add(task := new_task())
        calls = [
            backend.tasks.add(new_task("a"), output(task, "a")),
            backend.tasks.add(task, output(task, "refused")),
            backend.log.append(output(task, "stale"), Guard(task.tenant, task.id, "none", 0)),
            backend.tasks.replace(task, claimed(task), output(task, "b")),
            backend.tasks.replace(task, claimed(task), output(task, "refused")),
            backend.tasks.add(new_task("c"), output(task, "c")),
        ]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert [outcome is None for outcome in outcomes] == [True, False, False, True, False, True]
        records = await backend.log.slice(Topic(TENANT), ["task.output"], offset=0, limit=10)
        assert [record.body for record in records] == [b'{"text":"%s"}' % text for text in (b"a", b"b", b"c")]
        assert [record.position for record in records] == [1, 2, 3]
        assert [record.number for record in records] == [1, 2, 3]


async def test_an_operation_that_fails_half_way_leaves_nothing(path: Path) -> None:
    """No record, no gap in the positions, no bell."""

    def fail(transaction: Transaction) -> None:
        transaction.append([(note(TOPIC), b"{}")])
        raise ZeroDivisionError

    rung: list[Topic] = []
    await make(path)
    with closing(connect(path)) as connection:
        writer = Writer(connection, 1, "c", lambda transaction: rung.extend(transaction.wake))
        calls = [writer.write(lambda transaction: transaction.append([(note(TOPIC), b"{}")])), writer.write(fail)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        await writer.write(lambda transaction: transaction.append([(note(TOPIC), b"{}")]))
        await writer.close()
        positions = connection.execute("SELECT position, number FROM events ORDER BY position").fetchall()
    assert outcomes[0] is None and isinstance(outcomes[1], ZeroDivisionError)
    assert positions == [(1, 1), (2, 2), (3, 3)] and rung == [TOPIC, TOPIC]


async def test_closing_finishes_what_was_begun(path: Path) -> None:
    """A call that was made before is done; one that is made afterwards is refused."""
    async with open_backend(url(path)) as backend:
        pending = [asyncio.create_task(backend.tasks.add(new_task(f"t{n}"))) for n in range(50)]
        await asyncio.sleep(0)
    await asyncio.gather(*pending)
    with pytest.raises(Unavailable):
        await backend.tasks.add(new_task())
    async with open_backend(url(path)) as backend:
        assert sum((await backend.tasks.count(TENANT)).values()) == 50


async def test_a_file_of_a_newer_release_is_refused(path: Path) -> None:
    """By ``min_reader`` alone: a newer schema that still lets this program read is opened."""
    await make(path)

    def mark(name: str) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE meta SET value = ? WHERE name = ?", (SCHEMA + 1, name))

    mark("schema")
    async with open_backend(url(path)) as backend:
        await backend.ping()
    mark("min_reader")
    error = await refusal(path)
    assert "newer CodeTether" in error.message and str(path) in error.message


async def test_tasks_from_before_the_lists_are_in_them(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By who created them, and as though they had come into their state with their last change."""
    old = evolve(new_task("t", by='"an\\n" é'), updated_at=NOW + SECOND, result="\0")
    body = dump(old)
    spec = body.pop("spec")
    del body["since"]
    path.parent.mkdir()
    monkeypatch.setattr(schema, "SCHEMA", 2)
    with closing(connect(path)) as connection:
        schema.bring_up_to_date(connection, path)
        written = [old.id, TENANT, "lane", CODEBASE, 0, 0, 1, "", "", "pending", 1, None, None, encode(body)]
        connection.execute(f"INSERT INTO tasks VALUES ({', '.join('?' * len(written))})", written)
        connection.execute("INSERT INTO task_specs VALUES (?, ?)", [old.id, encode(spec)])
    monkeypatch.undo()
    async with open_backend(url(path)) as backend:
        expected = evolve(old, since=old.updated_at)
        query = TaskQuery(order=TaskOrder.CHANGED, created_by=old.created_by, since=expected.since)
        assert [*await backend.tasks.list(TENANT, query)] == [expected]
        assert await backend.tasks.total(TENANT, evolve(query, since=expected.since + MICROSECOND)) == 0
        await backend.tasks.replace(expected, claimed(expected, at=NOW + 2 * SECOND))
        assert await backend.tasks.total(TENANT, evolve(query, since=NOW + 2 * SECOND)) == 1


def test_a_broken_file_is_refused(path: Path) -> None:
    """No database at all, and another program's."""
    path.parent.mkdir()
    path.write_bytes(b"this is not a database, and long enough to be sure of it" * 100)
    assert isinstance(asyncio.run(refusal(path)), Unavailable)
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    assert "another program" in asyncio.run(refusal(path)).message


@pytest.mark.parametrize(
    ("place", "hint"),
    [
        ("/proc/codetether/store.db", "make the directory writable"),
        ("/dev/null/store.db", "move that file away"),
        ("/dev/null/below/store.db", "move that file away"),
    ],
)
async def test_a_directory_that_cannot_be_written_is_refused(place: str, hint: str) -> None:
    """Not even root can write there."""
    error = await refusal(Path(place))
    assert place in error.message and hint in error.hint


@pytest.mark.parametrize(
    "wrong", ["sqlite://relative.db", "sqlite://", "sqlite:///", "file:///x.db", "sqlite://host/x.db"]
)
async def test_an_address_must_name_a_file(wrong: str) -> None:
    """Absolutely, so that it does not depend on where the program was started."""
    with pytest.raises(Invalid):
        async with open_backend(wrong):
            pytest.fail("it opened")


def test_the_file_is_for_this_user_only(path: Path) -> None:
    """Prompts and output are nobody else's business."""
    asyncio.run(make(path))
    assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0


def test_a_child_process_does_not_inherit_the_lock(path: Path) -> None:
    """An agent that outlives us must not keep the file locked."""

    async def start_agent() -> subprocess.Popen[bytes]:
        async with open_backend(url(path)):
            return await asyncio.to_thread(subprocess.Popen, ["sleep", "60"], close_fds=False)

    with asyncio.run(start_agent()) as agent:
        asyncio.run(make(path))
        agent.kill()


async def test_nothing_of_what_was_erased_is_left_in_the_file(path: Path) -> None:
    """Nor in its log, though somebody reads just then: neither what it was last, nor what it was before."""
    word = "awordthatisnowhereelse"
    async with open_backend(url(path)) as backend:
        for n in range(30):
            task = new_task(f"t{n}", prompt=f"{word} " * (n % 7 * 100 + 1), title=word)
            await backend.tasks.add(task, output(task, *(f"{word} {m} " * (m % 5 * 100 + 1) for m in range(20))))
            for size in (1, 500, 3):
                new = evolve(task, result=f"{word} " * size, version=task.version + 1)
                await backend.tasks.replace(task, new)
                task = new
            other = new_task(f"o{n}", prompt="other " * (n % 5 * 200 + 1))
            await backend.tasks.add(other, output(other, "other " * (n % 3 * 300 + 1)))
        assert word.encode() in _bytes(path)
        with closing(sqlite3.connect(path)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM events").fetchone()
            for n in range(30):
                task = await backend.tasks.get(TENANT, TaskId(f"t{n}"))
                await backend.tasks.remove(task, [end_of(task)])
            assert word.encode() in _bytes(path)
        await backend.log.append([note(TOPIC)])
        assert word.encode() not in _bytes(path)
        assert await backend.tasks.total(TENANT, TaskQuery()) == 30


def _bytes(path: Path) -> bytes:
    return b"".join(each.read_bytes() for each in path.parent.iterdir())
