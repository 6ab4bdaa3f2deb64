"""A PostgreSQL store with two logins: the one that works for tenants never has the rows of two, whatever it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, LiteralString
from urllib.parse import quote

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from structlog.testing import capture_logs

from codetether_adapters.postgres import migrate, open_backend
from codetether_adapters.postgres.address import Address
from codetether_adapters.postgres.connection import connect
from codetether_core.errors import Invalid, Unavailable
from codetether_core.events import AUDIT, Event, Topic
from codetether_core.tasks import Task
from contracts.ports.samples import NOW, OTHER_TENANT, TENANT, claimed, new_task, note
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
        assert len(await leaks(backend, theirs)) == 12


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


def elsewhere(url: str) -> str:
    return url.replace(url.rpartition("/")[2], new_store().rpartition("/")[2])


def administrator(url: str) -> str:
    return the_server().url(url.rpartition("/")[2], user="postgres")


WRONG: Final[dict[str, tuple[Callable[[str], str], Callable[[str], str], str, str, str]]] = {
    "one login twice": (
        str,
        str,
        "store",
        "owns what row security is to protect",
        "CREATE ROLE codetether_tenants LOGIN",
    ),
    "exchanged": (str, bound, "store_keeper", "may not see everybody's rows", "name the login codetether"),
    "neither": (bound, bound, "store_keeper", "may not see everybody's rows", "name the login codetether"),
    "administrator": (administrator, str, "store", "is not bound by row security", "ALTER ROLE postgres NOSUPERUSER"),
    "elsewhere": (lambda url: bound(elsewhere(url)), str, "store_keeper", "names another database", "name that one"),
    "of another store": (bound, lambda url: "redis://r", "store_keeper", "must begin with", "postgresql://"),
}
"""What is made of the store's address, for the bound login and for the keeper, and what is said of them."""


@pytest.mark.parametrize("which", WRONG)
async def test_logins_that_are_not_what_they_have_to_be(url: str, which: str) -> None:
    """The setting is named, and the statement that changes it, by whoever is asked; nothing is changed."""
    first, second, field, problem, hint = WRONG[which]
    addresses = first(url), second(url)
    for check in (True, False):
        with pytest.raises(Invalid) as caught:
            await migrate(addresses[0], check=check, keeper=addresses[1])
        assert (caught.value.field, problem in caught.value.problem) == (field, True), caught.value
        assert hint in caught.value.hint
    with pytest.raises(Invalid, match=problem):
        async with open_backend(addresses[0], keeper=addresses[1]):
            pytest.fail("it opened")


@contextmanager
def login(database: str, name: str, options: LiteralString) -> Iterator[str]:
    """One more; the address of that database for it."""
    with the_server().administration(database) as connection:
        connection.execute(SQL("CREATE ROLE {} LOGIN PASSWORD 'p' ").format(Identifier(name)) + SQL(options))
        try:
            yield the_server().url(database, user=quote(name), password="p")
        finally:
            connection.execute(SQL("DROP OWNED BY {}").format(Identifier(name)))
            connection.execute(SQL("DROP ROLE {}").format(Identifier(name)))


@pytest.mark.parametrize(
    ("options", "given", "problem"),
    [
        ("SUPERUSER", "", "is not bound by row security"),
        ("BYPASSRLS", "", "is not bound by row security"),
        ("CREATEROLE", "", "is not bound by row security"),
        ("REPLICATION", "", "is not bound by row security"),
        ("IN ROLE codetether", "", "can become codetether"),
        ("", "GRANT CREATE ON SCHEMA codetether TO {}", "has rights to the schema"),
        ("", "GRANT TRUNCATE ON codetether.tasks TO PUBLIC", "has rights to the schema"),
        ("", "GRANT TRIGGER ON codetether.events TO {}", "has rights to the schema"),
        ("", "GRANT UPDATE ON codetether.meta TO {}", "has rights to the schema"),
        ("", "GRANT ALL ON ALL TABLES IN SCHEMA codetether TO {}", "has rights to the schema"),
    ],
)
async def test_a_login_that_could_get_around_the_walls(
    url: str, options: LiteralString, given: LiteralString, problem: str
) -> None:
    """It is refused until the statement has been run that is given."""
    database, name = url.rpartition("/")[2], 'an odd "name"'
    with login(database, name, options) as address, the_server().administration(database) as connection:
        if given:
            connection.execute(SQL(given).format(Identifier(name)))
        with pytest.raises(Invalid, match=problem) as caught:
            await migrate(address, check=True, keeper=url)
        assert caught.value.field == "store"
        statement = caught.value.hint.partition(": ")[2].partition(", or")[0]
        connection.execute(statement.encode())
        async with open_backend(address, keeper=url) as backend:
            await backend.tasks.add(new_task())


@pytest.mark.parametrize("given", ["", "GRANT TRIGGER ON codetether.tasks TO great"])
async def test_a_login_that_could_become_somebody_else(url: str, given: str) -> None:
    """Whom no wall stops."""
    database, options = url.rpartition("/")[2], "" if given else "BYPASSRLS"
    with login(database, "great", options), login(database, "small", "IN ROLE great") as address:
        if given:
            with psycopg.connect(url) as connection:
                connection.execute(given.encode())
        with pytest.raises(Invalid, match="the login small, which can become great") as caught:
            await migrate(address, keeper=url)
        assert "REVOKE great FROM small" in caught.value.hint


async def test_whoever_is_given_the_owners_role_may_be_the_keeper(url: str) -> None:
    """Whether there is another login or not, by the statement that is given to who is refused."""
    database = url.rpartition("/")[2]
    with login(database, "deputy", "") as address, the_server().administration() as connection:
        with pytest.raises(Invalid, match="the login deputy, which may not see everybody's rows") as caught:
            await migrate(address)
        connection.execute(caught.value.hint.partition(": ")[2].encode())
        for first, keeper in ((address, None), (bound(url), address)):
            async with open_backend(first, keeper=keeper) as backend:
                await backend.audit.append([Event(Topic(TENANT, AUDIT), "tried", NOW, {})])
                assert len(await backend.audit.chains()) == 1


@pytest.mark.parametrize("away", ["codetether", "codetether_tenants"])
async def test_a_login_that_is_not_let_in_any_more(url: str, away: str) -> None:
    """The store is not ready without either of its logins."""
    async with open_backend(bound(url), keeper=url) as backend:
        await backend.ping()
        with the_server().administration() as connection:
            connection.execute(f"ALTER ROLE {away} NOLOGIN".encode())
            try:
                connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [away])
                with pytest.raises(Unavailable):
                    await backend.ping()
            finally:
                connection.execute(f"ALTER ROLE {away} LOGIN".encode())
