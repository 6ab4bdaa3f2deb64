"""Migrations: forward only, once, by whoever comes first."""

from __future__ import annotations

import asyncio
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import psycopg
import pytest
from attrs import evolve

from codetether_adapters.postgres import migrate, open_backend, schema
from codetether_adapters.postgres.connection import SESSION
from codetether_adapters.postgres.schema import Migration, known_migrations
from codetether_adapters.tail import encode
from codetether_core.codec import dump
from codetether_core.errors import Unavailable
from codetether_core.ports import Migrations, TaskOrder, TaskQuery
from codetether_core.tasks import Task, TaskState
from contracts.ports.samples import CODEBASE, NOW, SECOND, TENANT, new_task
from tests.servers.postgres import overseeing, the_server

pytestmark = pytest.mark.anyio

PROCESSES = 4
KNOWN = (*known_migrations(),)
NEXT = len(KNOWN) + 1


@pytest.fixture
def url() -> str:
    """A database with nothing in it."""
    return the_server().url(the_server().new_database())


def execute(url: str, sql: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(sql.encode())


def migrate_in_this_process(url: str) -> Migrations:
    return asyncio.run(migrate(url))


def test_processes_that_start_together_migrate_once(url: str) -> None:
    """Each finds the schema complete when it goes on."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        found = [*pool.map(migrate_in_this_process, [url] * PROCESSES)]
    assert found == [Migrations(KNOWN, ())] * PROCESSES


async def test_a_check_changes_nothing(url: str) -> None:
    """It tells what is pending, then that nothing is."""
    assert await migrate(url, check=True) == await migrate(url, check=True) == Migrations((), KNOWN)
    assert await migrate(url) == await migrate(url) == await migrate(url, check=True) == Migrations(KNOWN, ())


async def test_opening_migrates(url: str) -> None:
    """Also many at once in one process; what was kept stays."""

    async def add(n: int) -> None:
        async with open_backend(url) as backend:
            await backend.tasks.add(new_task(f"t{n}"))

    await asyncio.gather(*(add(n) for n in range(4)))
    async with open_backend(url) as backend:
        assert sum((await backend.tasks.count(new_task().tenant)).values()) == 4


async def test_a_later_step_is_applied_to_what_is_there(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, each once; the program before it still reads the database."""
    await migrate(url)
    later = Migration(NEXT, "SET LOCAL search_path TO codetether; CREATE TABLE later ()", "checksum")
    steps = {**known_migrations(), NEXT: later}
    with monkeypatch.context() as newer:
        newer.setattr(schema, "known_migrations", lambda: steps)
        assert await migrate(url, check=True) == Migrations(KNOWN, (NEXT,))
        assert await migrate(url) == await migrate(url) == Migrations((*KNOWN, NEXT), ())
    assert await migrate(url) == Migrations((*KNOWN, NEXT), ())
    async with open_backend(url) as backend:
        await backend.ping()


async def test_tasks_of_programs_that_knew_no_lists_are_in_them(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By who created them and since when they are in their state, as far as anybody said: those that were there before,
    and those that such a program adds and moves beside this one.
    """

    def written(sql: str, task: Task, *values: object) -> None:
        body = dump(task)
        spec = body.pop("spec")
        del body["since"]
        with overseeing(url) as connection:
            connection.execute(SESSION)
            connection.execute(sql.encode(), [*values, encode(spec), encode(body), task.id])

    add = """
        INSERT INTO tasks (tenant, lane, codebase, priority, created, version, op, fence, state, ready, spec, body, id)
        VALUES (%s, 'lane', %s, 0, 0, 1, '', '', 'pending', TRUE, %s, %s, %s)
    """
    move = "UPDATE tasks SET state = %s, ready = FALSE, version = 2, spec = %s, body = %s WHERE id = %s"
    tasks = [evolve(new_task(f"t{n}", by='"an\\n" é'), updated_at=NOW + n * SECOND, result="\0") for n in range(2)]
    with monkeypatch.context() as older:
        older.setattr(schema, "known_migrations", lambda: {n: known_migrations()[n] for n in (1, 2)})
        await migrate(url)
        written(add, tasks[0], TENANT, CODEBASE)
    async with open_backend(url) as backend:
        written(add, tasks[1], TENANT, CODEBASE)
        query = TaskQuery(order=TaskOrder.CHANGED, created_by=tasks[0].created_by)
        expected = [evolve(task, since=task.updated_at) for task in reversed(tasks)]
        assert [*await backend.tasks.list(TENANT, query)] == expected
        moved = evolve(tasks[0], state=TaskState.CANCELLED, updated_at=NOW + 9 * SECOND, version=2)
        written(move, moved, moved.state)
        assert [task.id for task in await backend.tasks.list(TENANT, query)] == ["t0", "t1"]
        assert await backend.tasks.total(TENANT, evolve(query, since=NOW + 9 * SECOND)) == 1


async def test_a_step_that_fails_leaves_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even its first half; the server's words are passed on."""
    broken = Migration(NEXT, "SET LOCAL search_path TO codetether; CREATE TABLE half (); SELECT no_such_column", "x")
    await migrate(url)
    steps = {**known_migrations(), NEXT: broken}
    monkeypatch.setattr(schema, "known_migrations", lambda: steps)
    with pytest.raises(Unavailable, match="no_such_column"):
        await migrate(url)
    assert await migrate(url, check=True) == Migrations(KNOWN, (NEXT,))
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regclass('codetether.half')").fetchone() == (None,)


async def test_a_step_gives_way_to_who_uses_its_tables(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for one table after the other, in another order than the step does, hears of no deadlock."""
    with monkeypatch.context() as older:
        older.setattr(schema, "known_migrations", lambda: {n: step for n, step in known_migrations().items() if n < 3})
        await migrate(url)
    async with await psycopg.AsyncConnection.connect(url, options="-c search_path=codetether") as session:
        await session.execute("SELECT FROM tasks")
        step = asyncio.create_task(migrate(url))
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as watcher:
            waits = "SELECT FROM pg_locks WHERE relation = 'codetether.tasks'::regclass AND NOT granted"
            while not (await watcher.execute(waits)).rowcount:
                pass
        await session.execute("SELECT FROM audit")
        assert not step.done()
        await session.commit()
        assert await step == Migrations((*known_migrations(),), ())


async def test_a_changed_step_is_refused(url: str) -> None:
    """By its checksum, whether it is to be migrated, checked or opened."""
    await migrate(url)
    execute(url, "UPDATE codetether.migrations SET checksum = 'other'")
    for check in (False, True):
        with pytest.raises(Unavailable, match="Migration 0001") as caught:
            await migrate(url, check=check)
        assert caught.value.hint
    with pytest.raises(Unavailable, match="Migration 0001"):
        async with open_backend(url):
            pytest.fail("it opened")


async def test_a_database_of_a_newer_release_is_refused(url: str) -> None:
    """By ``min_reader`` alone: a newer schema that still lets this program read is opened."""
    await migrate(url)
    execute(url, f"UPDATE codetether.meta SET value = '{NEXT}' WHERE name = 'schema'")
    execute(url, f"INSERT INTO codetether.migrations VALUES ({NEXT}, 'unknown here')")
    async with open_backend(url) as backend:
        await backend.ping()
    execute(url, f"UPDATE codetether.meta SET value = '{NEXT}' WHERE name = 'min_reader'")
    with pytest.raises(Unavailable, match="needs a newer CodeTether") as caught:
        async with open_backend(url):
            pytest.fail("it opened")
    assert "newer release" in caught.value.hint


async def test_another_programs_tables_are_left_alone(url: str) -> None:
    """The store keeps to a schema of its own."""
    execute(url, "CREATE TABLE tasks (theirs INTEGER)")
    async with open_backend(url) as backend:
        await backend.tasks.add(new_task())
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT * FROM public.tasks").fetchall() == []
