"""PostgreSQL keeps tenants apart by itself, whatever a statement forgets to ask for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import psycopg
import pytest
from structlog.testing import capture_logs

from codetether_adapters.postgres import open_backend
from codetether_adapters.postgres.address import Address
from codetether_adapters.postgres.connection import connect
from codetether_adapters.postgres.logins import Logins
from codetether_adapters.postgres.operation import Operation
from codetether_adapters.postgres.reader import Reader
from codetether_adapters.postgres.writer import Writer
from codetether_core.errors import Unavailable
from codetether_core.ids import TenantId
from codetether_core.tasks import Task
from contracts.ports.samples import OTHER_TENANT, TENANT
from tests.servers.postgres import new_store, overseeing, the_server
from tests.stores.postgres_walls import OF_NOBODY, everything, fill, forget_tenants, leaks, tables, walled_tables

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def walled() -> list[str]:
    return walled_tables()


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_tenants(monkeypatch)


@pytest.fixture
def url() -> str:
    return new_store()


@pytest.fixture
async def writer(url: str) -> AsyncIterator[Writer]:
    """The stores' own, for statements that no store has."""
    writer = Writer(Logins.parse(url), None, "chain", lambda group: None)
    yield writer
    await writer.close()


@pytest.fixture
async def reading(url: str) -> AsyncIterator[Reader]:
    pool = Reader(Address.parse(url))
    await pool.open()
    yield pool
    await pool.close()


@pytest.fixture
async def theirs(url: str) -> Task:
    """What the other tenant's worker holds; both have everything."""
    async with open_backend(url) as backend:
        await fill(backend, TENANT)
        return await fill(backend, OTHER_TENANT)


def own(tenant: TenantId, sql: str) -> Operation:
    """A write for a tenant."""
    return Operation(tenant=tenant, sql=sql, settle=lambda row: ())


def test_every_table_with_a_tenant_has_a_wall() -> None:
    """Also those that are yet to come; it stands in the way of who owns the table, too."""
    url = new_store()
    with_tenant = "EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'tenant')"
    assert tables(url, f"NOT {with_tenant}").keys() == OF_NOBODY
    assert {*tables(url, with_tenant).values()} == {(True, True)}
    with overseeing(url) as connection:
        policies = connection.execute(
            "SELECT tablename, array_agg(policyname::text ORDER BY policyname), bool_and(cmd = 'ALL')"
            " FROM pg_policies WHERE schemaname = 'codetether' GROUP BY tablename"
        ).fetchall()
    assert {table for table, *said in policies if said == [["everybodys", "own"], True]} == {*tables(url, with_tenant)}


@pytest.mark.usefixtures("theirs")
async def test_the_other_ones_rows_are_neither_seen_nor_changed(
    url: str, walled: Sequence[str], reading: Reader, writer: Writer
) -> None:
    """By statements that ask for all rows; and nothing is written in the other one's name."""
    before = everything(url, OTHER_TENANT)
    assert sorted(before) == walled and all(before.values())
    for table in walled:
        assert await reading.rows(TENANT, f"SELECT DISTINCT tenant FROM {table}") == [(TENANT,)], table
        for foisted in (
            f"UPDATE {table} SET tenant = '{OTHER_TENANT}'",
            f"INSERT INTO {table} (tenant) VALUES ('{OTHER_TENANT}')",
        ):
            with pytest.raises(Unavailable, match="row-level security"):
                await writer.write(own(TENANT, foisted))
        for change in (f"UPDATE {table} SET tenant = tenant", f"DELETE FROM {table}"):
            counted = f"WITH it AS ({change} RETURNING tenant) SELECT array_agg(DISTINCT tenant) FROM it"
            assert await writer.write(own(TENANT, counted)) == ([TENANT],), change
    assert everything(url, OTHER_TENANT) == before
    assert not any(everything(url, TENANT).values())


@pytest.mark.usefixtures("theirs")
@pytest.mark.parametrize("said", [None, "", "none"])
async def test_a_session_without_a_tenant_has_nothing(url: str, walled: Sequence[str], said: str | None) -> None:
    """Whether it says nothing, or nobody's name, or has forgotten what a transaction before it said."""
    session = await connect(Address.parse(url))
    try:
        async with session.transaction():
            await session.execute("SELECT set_config('codetether.tenant', %s, TRUE)", [TENANT])
            await session.execute("SET LOCAL codetether.everybody TO on")
        if said is not None:
            await session.execute("SELECT set_config('codetether.tenant', %s, FALSE)", [said])
        for table in walled:
            for nothing in (f"SELECT FROM {table}", f"UPDATE {table} SET tenant = tenant", f"DELETE FROM {table}"):
                assert (await session.execute(nothing.encode())).rowcount == 0, nothing
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await session.execute(f"INSERT INTO {table} (tenant) VALUES ('{TENANT}')".encode())
    finally:
        await session.close()
    assert all(everything(url, TENANT).values())


@pytest.mark.usefixtures("forgetful")
async def test_statements_that_forget_the_tenant_give_nothing_away(url: str, theirs: Task) -> None:
    """The second wall stands behind the first; with a login whom no wall stops, all of it would be open."""
    async with open_backend(url) as backend:
        before = everything(url, OTHER_TENANT)
        assert await leaks(backend, theirs) == []
        assert everything(url, OTHER_TENANT) == before


@pytest.mark.usefixtures("forgetful")
async def test_a_login_that_bypasses_row_security_is_told_of(url: str, theirs: Task) -> None:
    """It has the first wall only."""
    administrator = the_server().url(url.rpartition("/")[2], user="postgres")
    with capture_logs() as logs:
        async with open_backend(administrator) as backend:
            assert len(await leaks(backend, theirs)) == 15
    assert [(line["event"], line["log_level"]) for line in logs] == [("row_security_bypassed", "warning")]
    assert "without SUPERUSER" in logs[0]["hint"]


@pytest.mark.usefixtures("forgetful", "theirs")
async def test_sessions_change_hands_between_tenants(reading: Reader) -> None:
    """Each question is answered for who asks, also when one is given up between."""

    async def ask(number: int) -> None:
        tenant = (TENANT, OTHER_TENANT)[number % 2]
        assert await reading.rows(tenant, "SELECT DISTINCT tenant FROM tasks") == [(tenant,)]

    for _ in range(10):
        asking = [asyncio.create_task(ask(number)) for number in range(20)]
        await asyncio.sleep(0.001)
        asking[7].cancel()
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
        assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
