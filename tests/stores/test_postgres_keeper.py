"""A PostgreSQL store with two logins: the one that works for tenants never has the rows of two, whatever it says."""

from __future__ import annotations

from typing import Final

import psycopg
import pytest
from structlog.testing import capture_logs

from codetether_adapters.postgres import migrate, open_backend
from codetether_adapters.postgres.address import Address
from codetether_adapters.postgres.connection import connect
from codetether_core.errors import Unavailable
from codetether_core.events import Topic
from codetether_core.tasks import Task
from contracts.ports.samples import OTHER_TENANT, TENANT, claimed, new_task, note
from tests.servers.postgres import bound, new_store, the_server
from tests.stores.postgres_walls import everything, fill, forget_tenants, leaks, tables, walled_tables

pytestmark = pytest.mark.anyio

OVERSEE: Final = "?options=-c%20codetether.everybody%3Don"
"""What a login may have itself say from the beginning of each session."""


@pytest.fixture
def url() -> str:
    return new_store()


@pytest.fixture
async def theirs(url: str) -> Task:
    """What the other tenant's worker holds; both have everything."""
    async with open_backend(bound(url), keeper=url) as backend:
        await fill(backend, TENANT)
        return await fill(backend, OTHER_TENANT)


@pytest.fixture(scope="module")
def walled() -> list[str]:
    return walled_tables()


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_tenants(monkeypatch)


@pytest.mark.usefixtures("forgetful")
async def test_nothing_of_another_tenants_is_had_by_who_says_everybody(url: str, theirs: Task) -> None:
    """With the first wall gone as well; were there one login, everything would be had."""
    before = everything(url, OTHER_TENANT)
    async with open_backend(bound(url) + OVERSEE, keeper=url) as backend:
        assert await leaks(backend, theirs) == []
        assert {*(await backend.tasks.count(TENANT)).values()} == {1}
    assert everything(url, OTHER_TENANT) == before
    async with open_backend(url + OVERSEE) as backend:
        assert len(await leaks(backend, theirs)) == 15


@pytest.mark.usefixtures("theirs")
async def test_what_the_bound_login_says_opens_no_wall(url: str, walled: list[str]) -> None:
    """Nor may it pull one down, go around one, become the keeper, or change what is of no tenant."""
    before = everything(url, OTHER_TENANT)
    session = await connect(Address.parse(bound(url) + OVERSEE))
    try:
        for everybody in ("", "on"):
            await session.execute("SELECT set_config('codetether.everybody', %s, FALSE)", [everybody])
            await session.execute("SELECT set_config('codetether.tenant', '', FALSE)")
            for table in walled:
                for nothing in (f"SELECT FROM {table}", f"UPDATE {table} SET tenant = tenant", f"DELETE FROM {table}"):
                    assert (await session.execute(nothing.encode())).rowcount == 0, nothing
            await session.execute("SELECT set_config('codetether.tenant', %s, FALSE)", [TENANT])
            for table in walled:
                found = await session.execute(f"SELECT DISTINCT tenant FROM {table}".encode())
                assert await found.fetchall() == [(TENANT,)], table
        forbidden = [
            "SET ROLE codetether",
            "UPDATE meta SET value = '0'",
            "DELETE FROM due_from",
            "INSERT INTO due_from VALUES (9223372036854775807, 0)",
            "SELECT FROM due_from",
            "SELECT setval('turns', 1)",
            "CREATE TABLE codetether.mine ()",
        ]
        for table in walled:
            forbidden += [
                f"INSERT INTO {table} (tenant) VALUES ('{OTHER_TENANT}')",
                f"UPDATE {table} SET tenant = '{OTHER_TENANT}'",
                f"TRUNCATE {table}",
                f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
                f"DROP POLICY own ON {table}",
                f"CREATE POLICY mine ON {table} USING (TRUE)",
                f"CREATE TRIGGER mine AFTER INSERT ON {table} EXECUTE FUNCTION enqueue()",
            ]
        for statement in forbidden:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await session.execute(statement.encode())
        for table in walled:
            assert (await session.execute(f"DELETE FROM {table}".encode())).rowcount > 0, table
    finally:
        await session.close()
    assert everything(url, OTHER_TENANT) == before
    assert not any(everything(url, TENANT).values())


async def test_what_is_done_in_the_keepers_name_tells_of_one_number(url: str) -> None:
    """The log's end, whoever shadows its table; and whoever asks oversees no more than before."""
    async with open_backend(bound(url), keeper=url) as backend:
        await backend.log.append([note(Topic(tenant, "s")) for tenant in (TENANT, OTHER_TENANT)])
    for address, said, seen in ((bound(url), "", 0), (bound(url), "on", 0), (url, "", 0), (url, "on", 2)):
        session = await connect(Address.parse(address))
        try:
            await session.execute("SELECT set_config('codetether.everybody', %s, FALSE)", [said])
            await session.execute("CREATE TEMPORARY TABLE events (position BIGINT)")
            async with session.transaction():
                assert await (await session.execute("SELECT head()")).fetchone() == (2,)
                row = await session.execute(
                    "SELECT current_setting('codetether.everybody'), (SELECT count(*) FROM codetether.events)"
                )
                assert await row.fetchone() == (said, seen)
        finally:
            await session.close()


async def test_what_is_done_in_the_keepers_name_is_done_to_no_other_table(url: str) -> None:
    """A type's own casts would run there as the keeper."""
    async with open_backend(bound(url), keeper=url):
        pass
    session = await connect(Address.parse(bound(url)))
    try:
        await session.execute("CREATE TEMPORARY TABLE mine (due BIGINT)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await session.execute("CREATE TRIGGER mine AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION expect()")
    finally:
        await session.close()


async def test_what_is_of_all_tenants_is_the_keepers(url: str) -> None:
    """What is due, the log and its beginning, old sessions, chains, and whether the store is whole."""
    held = {}
    async with open_backend(bound(url), keeper=url) as backend, open_backend(bound(url), keeper=url) as replica:
        start = await backend.log.head()
        for tenant in (TENANT, OTHER_TENANT):
            await fill(backend, tenant)
            held[tenant] = claimed(new_task(f"held-{tenant}", tenant=tenant))
        last = max(task.grant.run_deadline for task in held.values() if task.grant)
        assert {task.tenant for task in await replica.tasks.overdue(last, 10)} == {*held}
        assert await replica.tasks.next_due() == min(task.due_at for task in held.values() if task.due_at)
        head = await replica.log.head()
        assert {record.topic.tenant for record in (await backend.log.oldest(last, 10)).records} == {*held}
        assert {chain.tenant for chain in await backend.audit.chains()} == {*held}
        assert await backend.log.trim(head) == head.position - start.position
        assert await replica.log.trim(head) == 0
        await backend.set_whole(False)
        assert not await replica.is_whole()


async def test_a_login_beside_the_one_that_a_store_had(url: str) -> None:
    """It becomes the keeper, and the new one is admitted; also to what a later step adds."""
    async with open_backend(url) as backend:
        task = new_task()
        await backend.tasks.add(task)
    for _ in range(2):
        async with open_backend(bound(url), keeper=url) as backend:
            assert await backend.tasks.get(TENANT, task.id) == task
    with psycopg.connect(url) as connection:
        connection.execute("SET search_path TO codetether")
        connection.execute("CREATE TABLE later (tenant TEXT)")
        connection.execute("CALL wall('later')")
    await migrate(bound(url), keeper=url)
    with psycopg.connect(bound(url) + OVERSEE) as connection:
        connection.execute("SELECT set_config('codetether.tenant', 'a', FALSE)")
        connection.execute("INSERT INTO codetether.later VALUES ('a')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO codetether.later VALUES ('b')")


@pytest.mark.parametrize("apart", [False, True])
async def test_a_new_store_is_made_by_its_keeper(apart: bool) -> None:
    """In an empty database, of which a look changes nothing; the walls are its tables' owner's to open."""
    url = the_server().url(the_server().new_database())
    addresses = (bound(url), url) if apart else (url, None)
    assert (await migrate(addresses[0], check=True, keeper=addresses[1])).applied == ()
    with capture_logs() as logs:
        async with open_backend(addresses[0], keeper=addresses[1]) as backend:
            await backend.ping()
    assert logs == []
    assert {*tables(url, "relrowsecurity").values()} == {(True, True)}
    with psycopg.connect(url) as connection:
        roles = connection.execute(
            "SELECT DISTINCT policyname::text, roles::text[] FROM pg_policies WHERE schemaname = 'codetether'"
        ).fetchall()
    assert sorted(roles) == [("everybodys", ["codetether"]), ("own", ["public"])]


@pytest.mark.parametrize("away", ["codetether", "codetether_tenants"])
async def test_a_login_that_is_not_let_in_any_more(url: str, away: str) -> None:
    """The store is not ready without either of its logins."""
    async with open_backend(bound(url), keeper=url) as backend:
        await backend.ping()
        with the_server().administration() as connection:
            connection.execute(f"ALTER ROLE {away} NOLOGIN".encode())
            try:
                connection.execute(
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = %s", [away]
                )  # and wait until each is gone
                with pytest.raises(Unavailable):
                    await backend.ping()
            finally:
                connection.execute(f"ALTER ROLE {away} LOGIN".encode())
