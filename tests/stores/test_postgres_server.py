"""What only a server can do: refuse, be of the wrong kind, go away and come back."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar

import psycopg
import pytest
from attrs import evolve

from codetether_adapters.postgres import migrate, open_backend, server
from codetether_adapters.postgres.address import Address
from codetether_adapters.postgres.connection import connect, patience
from codetether_core.agents import Agent
from codetether_core.codebases import Codebase
from codetether_core.errors import AlreadyExists, Invalid, NotFound, StaleLease, Unavailable, VersionConflict
from codetether_core.events import READY, Event, Guard, Topic
from codetether_core.ids import AgentName, CodebaseId
from codetether_core.ports import Backend
from contracts.ports.samples import NOW, SECOND, TENANT, claimed, new_task, note, output
from tests.servers.cut import cut_at
from tests.servers.postgres import PASSWORD, PostgresServer, new_store, the_server

T = TypeVar("T")

pytestmark = pytest.mark.anyio

TOPIC = Topic(TENANT, "cb", "t")
PATIENCE = 30


async def refusal(url: str) -> Unavailable:
    """Why neither the stores nor a migration can be had of this address."""
    with pytest.raises(Unavailable) as caught:
        async with open_backend(url):
            pytest.fail("it opened")
    with pytest.raises(Unavailable) as again:
        await migrate(url, check=True)
    assert again.value.message == caught.value.message
    assert caught.value.hint and PASSWORD not in caught.value.message and "\n" not in caught.value.message
    return caught.value


async def eventually(call: Callable[[], Awaitable[T]]) -> T:
    """The answer of a call that may be unavailable for a while."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await call()
            except Unavailable:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "wrong",
    [
        "postgresql://",
        "postgresql://host",
        "postgresql://host/",
        "postgresql:///",
        "postgresql://host:port/x",
        "postgresql://host:70000/x",
        "postgresql://host:0/x",
        "postgresql://host/x?no_such_option=1",
        "postgresql://host/%zz",
        "postgresql://[::1/x",
        "mysql://host/x",
        "host=here dbname=x",
    ],
)
async def test_a_malformed_address_is_invalid(wrong: str) -> None:
    """With an example of a good one, and nothing of what was said in it: there may be a password."""
    for attempt in (open_backend(wrong).__aenter__, lambda: migrate(wrong)):
        with pytest.raises(Invalid) as caught:
            await attempt()
        assert caught.value.field == "store" and caught.value.hint.startswith("postgresql://")
        assert wrong not in caught.value.message


async def test_a_wrong_password_is_refused() -> None:
    """The user is named, no password is."""
    error = await refusal(the_server().url(password="wrong-secret"))
    assert "refuses the password of user codetether" in error.message and "wrong-secret" not in error.message
    assert "password" in error.hint


async def test_an_unreachable_server_is_refused() -> None:
    """With its place, at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = await refusal(f"postgresql://u:p@127.0.0.1:{port}/x")
    assert f"127.0.0.1:{port} does not answer" in error.message


async def test_an_unknown_database_is_refused() -> None:
    """And not made."""
    error = await refusal(the_server().url("nowhere"))
    assert "no database named nowhere" in error.message and "create" in error.hint


async def test_an_old_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its major version."""
    url = new_store()
    monkeypatch.setattr(server, "OLDEST", 99)
    assert "too old" in (await refusal(url)).message


async def test_another_encoding_is_refused() -> None:
    """A database that cannot hold any text."""
    name = the_server().new_database("template0 ENCODING 'SQL_ASCII'")
    error = await refusal(the_server().url(name))
    assert "SQL_ASCII" in error.message and "CREATE DATABASE" in error.hint


async def test_a_database_that_only_reads_is_refused() -> None:
    """Its default says so."""
    name = the_server().new_database()
    with the_server().administration() as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only TO on".encode())
    error = await refusal(the_server().url(name))
    assert "only reads" in error.message and "primary" in error.hint


def as_guest(database: str) -> str:
    """The address of a database for a login that may connect, and nothing else."""
    with the_server().administration() as connection:
        if connection.execute("SELECT FROM pg_roles WHERE rolname = 'guest'").fetchone() is None:
            connection.execute("CREATE ROLE guest LOGIN PASSWORD 'g'")
    return f"postgresql://guest:g@{the_server().url(database).rpartition('@')[2]}"


async def test_a_login_without_rights_is_refused() -> None:
    """It may connect, and nothing else."""
    with pytest.raises(Unavailable) as caught:
        async with open_backend(as_guest(the_server().new_database())):
            pytest.fail("it opened")
    assert "permission denied" in caught.value.message and "grant" in caught.value.hint


async def test_a_login_that_may_make_no_schema_uses_the_one_that_is_its_own() -> None:
    """An administrator made it, and nothing in it."""
    name = the_server().new_database()
    url = as_guest(name)
    with the_server().administration(name) as connection:
        connection.execute("CREATE SCHEMA codetether AUTHORIZATION guest")
    async with open_backend(url) as backend:
        await backend.ping()


async def test_a_refusal_leaves_nothing_open() -> None:
    """No session stays behind."""
    url = new_store()
    name = url.rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE codetether.meta SET value = '99' WHERE name = 'min_reader'")
    await refusal(url)
    with the_server().administration() as connection:
        deadline = time.monotonic() + PATIENCE
        while connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [name]).fetchone() != (0,):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)


async def test_a_session_keeps_its_promises() -> None:
    """Commits wait for the disk even where the database's default does not; nobody holds a lock and sleeps."""
    url = new_store()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit TO off".encode())
    session = await connect(Address.parse(url))
    try:
        for name, value in {
            "synchronous_commit": "on",
            "idle_in_transaction_session_timeout": "5s",
            "statement_timeout": "10s",
            "TimeZone": "UTC",
            "application_name": "codetether",
        }.items():
            assert await (await session.execute(f"SHOW {name}".encode())).fetchone() == (value,)
    finally:
        await session.close()


async def test_a_server_that_does_not_answer_is_hung_up_on() -> None:
    """As though it had hung up itself."""
    session = await connect(Address.parse(new_store()))
    with pytest.raises(psycopg.OperationalError), patience(session, 0.05):
        await session.execute("SELECT pg_sleep(60)")
    assert session.closed


async def test_now_is_the_servers() -> None:
    """To the microsecond, and it passes."""
    async with open_backend(new_store()) as backend:
        first, second = await backend.now(), await backend.now()
    assert first < second < first + PATIENCE * SECOND


@pytest.fixture
def own() -> Iterator[PostgresServer]:
    """A server to ill-treat."""
    server = PostgresServer.make()
    yield server
    server.remove()


@pytest.fixture
async def backend(own: PostgresServer) -> AsyncIterator[Backend]:
    async with open_backend(own.url()) as backend:
        yield backend


async def test_a_server_that_is_killed_is_unavailable_until_it_is_back(own: PostgresServer, backend: Backend) -> None:
    """Every call says so, none hangs; then reads, writes and wake-ups work again, and nothing accepted is lost."""
    task = new_task()
    await backend.tasks.add(task, output(task, "before"))
    start = await backend.log.start()
    own.stop(signal.SIGKILL)
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: backend.tasks.get(TENANT, task.id),
        lambda: backend.tasks.add(new_task("other")),
        lambda: backend.tasks.replace(task, claimed(task)),
        lambda: backend.log.append([note(TOPIC)]),
        lambda: backend.log.count(TOPIC, ["note"]),
        lambda: backend.codebases.list(TENANT),
        backend.ping,
        backend.now,
    ]
    async with asyncio.timeout(PATIENCE):
        for outcome in await asyncio.gather(*(call() for call in calls), return_exceptions=True):
            assert isinstance(outcome, Unavailable) and outcome.hint, outcome
    own.start()
    await eventually(backend.ping)
    assert await eventually(lambda: backend.tasks.get(TENANT, task.id)) == task
    await eventually(lambda: backend.tasks.replace(task, claimed(task), output(task, "after"), op="o"))
    records = (await backend.log.read(Topic(TENANT), start)).records
    assert [record.body for record in records] == [b'{"text":"before"}', b'{"text":"after"}']
    async with open_backend(own.url()) as other:
        with backend.notifier.listen(Topic(TENANT, READY)) as ready:
            await other.tasks.add(new_task("woken"))
            assert await ready.wait(PATIENCE * SECOND)


async def test_a_restart_between_two_calls_is_nobodys_error(own: PostgresServer, backend: Backend) -> None:
    """Sessions that ended while they were idle are replaced before anything is asked of them."""
    await asyncio.gather(*(backend.tasks.add(new_task(f"t{n}")) for n in range(20)))
    await asyncio.gather(*(backend.tasks.get(TENANT, new_task(f"t{n}").id) for n in range(20)))
    own.stop()
    own.start()
    await backend.tasks.add(new_task("after"))
    await asyncio.gather(*(backend.tasks.get(TENANT, new_task(f"t{n}").id) for n in range(20)))


async def test_a_standby_is_refused(own: PostgresServer) -> None:
    """It answers every question and takes no write."""
    await migrate(own.url())
    own.stop()
    (own.directory / "data" / "standby.signal").touch()
    own.start()
    assert "only reads" in (await refusal(own.url())).message


async def test_a_lost_reply_is_settled_by_the_operation() -> None:
    """The connection breaks after the commit was sent: the caller is told that it may be done, and asks again."""
    url = new_store()
    task = new_task()
    running = claimed(task)
    async with cut_at(b"COMMIT", url) as (through, cutting), open_backend(through) as backend:
        await backend.tasks.add(task)
        cutting.set()
        with pytest.raises(Unavailable, match="may have been done"):
            await backend.tasks.replace(task, running, output(task, "once"), op="o")
        await eventually(lambda: backend.tasks.replace(task, running, output(task, "once"), op="o"))
        assert await backend.log.count(Topic(TENANT), ["task.output"]) == 1
        with pytest.raises(VersionConflict):
            await backend.tasks.replace(task, running, output(task, "twice"), op="p")
        page = await backend.log.read(Topic(TENANT), await backend.log.start())
        assert [record.number for record in page.records] == [1]


async def test_a_connection_that_breaks_before_the_commit_is_tried_again() -> None:
    """Nothing was done, so the caller need not know."""
    url = new_store()
    task = new_task(at=NOW)
    async with cut_at(b"INSERT INTO tasks", url) as (through, cutting), open_backend(through) as backend:
        cutting.set()
        await backend.tasks.add(task, output(task, "once"))
        assert await backend.tasks.get(TENANT, task.id) == task
        assert await backend.log.count(Topic(TENANT), ["task.output"]) == 1


async def test_one_failing_operation_takes_no_other_with_it() -> None:
    """They share a commit and nothing else, whether it was refused by a comparison or by a constraint."""
    first, second = (
        Codebase(id=CodebaseId(id), tenant=TENANT, name=id, path="/", registered_at=NOW, updated_at=NOW)
        for id in ("a", "b")
    )
    async with open_backend(new_store()) as backend:
        await backend.tasks.add(task := new_task())
        await backend.codebases.add(first)
        await backend.codebases.add(second)
        calls = [
            backend.tasks.add(new_task("a"), output(task, "a")),
            backend.tasks.add(task, output(task, "refused")),
            backend.codebases.replace(second, evolve(second, name="a", version=2), [note(TOPIC, "refused")]),
            backend.log.append(output(task, "stale"), Guard(task.tenant, task.id, "none", 0)),
            backend.tasks.replace(task, claimed(task), output(task, "b")),
            backend.tasks.replace(task, claimed(task), output(task, "refused")),
            backend.tasks.add(new_task("c"), output(task, "c")),
        ]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        kinds = [type(outcome) for outcome in outcomes]
        nothing = type(None)
        assert kinds == [nothing, AlreadyExists, AlreadyExists, StaleLease, nothing, VersionConflict, nothing]
        records = (await backend.log.read(Topic(TENANT), await backend.log.start())).records
        assert [record.body for record in records] == [b'{"text":"%s"}' % text for text in (b"a", b"b", b"c")]
        assert [(record.position, record.number) for record in records] == [(1, 1), (2, 2), (3, 3)]


async def test_closing_finishes_what_was_begun() -> None:
    """A call that was made before is done; one that is made afterwards is refused."""
    url = new_store()
    async with open_backend(url) as backend:
        pending = [asyncio.create_task(backend.tasks.add(new_task(f"t{n}"))) for n in range(50)]
        await asyncio.sleep(0)
    await asyncio.gather(*pending)
    for call in (backend.tasks.add(new_task()), backend.tasks.get(TENANT, new_task().id)):
        with pytest.raises(Unavailable, match="is closed"):
            await call
    async with open_backend(url) as backend:
        assert sum((await backend.tasks.count(TENANT)).values()) == 50


async def test_names_hold_what_text_cannot() -> None:
    """NUL and lone surrogates, which agents print: found again, listed and told apart from other names."""
    odd = AgentName("a\x00b\ud800")
    agent = Agent(name=odd, tenant=TENANT, principal="p", registered_at=NOW, last_seen=NOW)
    async with open_backend(new_store()) as backend:
        await backend.directory.agents.add(agent, [Event(Topic.agent(TENANT, odd), "note", NOW, {"name": "\x00"})])
        found = await backend.directory.agents.get(TENANT, odd)
        assert found.name == "a\x00b\ufffd"
        with pytest.raises(NotFound):
            await backend.directory.agents.get(TENANT, AgentName("ab"))
        (record,) = await backend.log.latest(Topic(TENANT), ["note"], 10)
        assert record.body == b'{"name":"\\u0000"}'
