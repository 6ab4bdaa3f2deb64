"""Logins of a PostgreSQL store that may too little or too much: which one, and what changes that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, LiteralString
from urllib.parse import quote

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from codetether_adapters.postgres import migrate, open_backend
from codetether_core.errors import Invalid
from codetether_core.events import AUDIT, Event, Topic
from contracts.ports.samples import NOW, TENANT, new_task
from tests.servers.postgres import bound, new_store, the_server

pytestmark = pytest.mark.anyio


@pytest.fixture
def url() -> str:
    return new_store()


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
