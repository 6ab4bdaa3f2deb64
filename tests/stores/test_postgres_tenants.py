"""PostgreSQL keeps tenants apart by itself, whatever a statement forgets to ask for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import psycopg
import pytest
from attrs import evolve
from structlog.testing import capture_logs

from codetether_adapters.postgres import group, open_backend, reader
from codetether_adapters.postgres.address import Address
from codetether_adapters.postgres.connection import SESSION, Connection, Row, connect, execute
from codetether_adapters.postgres.operation import Operation
from codetether_adapters.postgres.reader import Reader
from codetether_adapters.postgres.writer import Writer
from codetether_core.approvals import Approval, ApprovalKind
from codetether_core.codebases import Codebase
from codetether_core.errors import NotFound, StaleLease, Unavailable, VersionConflict
from codetether_core.events import AUDIT, Event, Guard, Topic
from codetether_core.ids import AgentName, ApprovalId, MessageId, SessionId, TenantId, WorkerId
from codetether_core.messages import Message
from codetether_core.ports import ApprovalChange, Backend, SessionQuery, TaskQuery
from codetether_core.sessions import Session, SessionMessage
from codetether_core.tasks import Task, lane_of
from contracts.ports.samples import CODEBASE, NOW, OTHER_TENANT, TENANT, claimed, new_task, note, output
from tests.servers.postgres import new_store, overseeing, the_server

pytestmark = pytest.mark.anyio

OF_NOBODY: Final = {"due_from", "meta", "migrations"}
"""Tables that have no tenant; all others have a wall."""


async def fill(backend: Backend, tenant: TenantId) -> Task:
    """A row or more in every table that has a wall."""
    await backend.tasks.add(new_task(f"waiting-{tenant}", tenant=tenant))
    task = new_task(f"held-{tenant}", tenant=tenant)
    await backend.tasks.add(task)
    running = claimed(task)
    asked = Approval(
        id=ApprovalId("a"),
        tenant=tenant,
        codebase=CODEBASE,
        task=task.id,
        grant="1.n",
        kind=ApprovalKind.PERMISSION,
        prompt=f"of {tenant}",
        created_at=NOW,
        deadline=NOW,
    )
    await backend.tasks.replace(task, running, approvals=[ApprovalChange(None, asked)])
    await backend.log.append(output(task, f"of {tenant}"), Guard(task.id, running.fence, 0))
    codebase = Codebase(id=CODEBASE, tenant=tenant, name="n", path="/p", registered_at=NOW, updated_at=NOW)
    await backend.codebases.add(codebase)
    session = Session(
        id=SessionId("s"), tenant=tenant, codebase=CODEBASE, created_at=NOW, updated_at=NOW, synced_at=NOW, title="of"
    )
    said = SessionMessage(id="m", session=SessionId("s"), role="user", created_at=NOW)
    await backend.sessions.put(None, session, [said])
    message = Message(id=MessageId("m"), tenant=tenant, sender="s", recipient=AgentName("a"), body="b", sent_at=NOW)
    await backend.inbox.add(message)
    await backend.audit.append([Event(Topic(tenant, AUDIT), "tried", NOW, {"said": f"of {tenant}"})])
    return running


def tables(url: str, condition: str = "TRUE") -> dict[str, tuple[bool, bool]]:
    """Those of the schema, and whether row security is enabled and forced."""
    with overseeing(url) as connection:
        found = connection.execute(
            "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class WHERE relkind IN ('r', 'p')"
            f" AND relnamespace = 'codetether'::regnamespace AND {condition}".encode()
        )
        return {name: (enabled, forced) for name, enabled, forced in found.fetchall()}


def everything(url: str, tenant: TenantId) -> Mapping[str, list[tuple[Any, ...]]]:
    """All rows of a tenant."""
    with overseeing(url) as connection:
        connection.execute(SESSION)
        return {
            table: connection.execute(
                f"SELECT * FROM {table} WHERE tenant = %s ORDER BY {table}::text".encode(),
                [tenant],
            ).fetchall()
            for table in tables(url)
            if table not in OF_NOBODY
        }


@pytest.fixture(scope="module")
def walled() -> list[str]:
    """The tables that must have a wall."""
    return sorted(tables(new_store()).keys() - OF_NOBODY)


@pytest.fixture
def url() -> str:
    return new_store()


@pytest.fixture
async def writer(url: str) -> AsyncIterator[Writer]:
    """The stores' own, for statements that no store has."""
    writer = Writer(Address.parse(url), None, "chain", lambda group: None)
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


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stores' own statements ask for no tenant any more."""

    async def without_the_first_wall(
        connection: Connection, sql: str, values: Sequence[Any] = ()
    ) -> psycopg.AsyncCursor[Row]:
        return await execute(connection, re.sub(r"(\w+\.)?tenant = %s", r"(\g<0> OR TRUE)", sql), values)

    for module in (reader, group):
        monkeypatch.setattr(module, "execute", without_the_first_wall)


async def leaks(backend: Backend, theirs: Task) -> Sequence[str]:
    """What the stores give a tenant, or let it do, that is the other one's."""
    topic = Topic.task(TENANT, CODEBASE, theirs.id)
    stolen = evolve(theirs, tenant=TENANT)
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "task": lambda: backend.tasks.get(TENANT, theirs.id),
        "tasks": lambda: backend.tasks.list(TENANT, TaskQuery()),
        "held": lambda: backend.tasks.held(TENANT, WorkerId("w")),
        "ready": lambda: backend.tasks.ready([evolve(lane_of(OTHER_TENANT, theirs.spec), tenant=TENANT)], 10),
        "approvals": lambda: backend.approvals.list(TENANT),
        "codebases": lambda: backend.codebases.list(TENANT),
        "sessions": lambda: backend.sessions.list(TENANT, SessionQuery()),
        "inbox": lambda: backend.inbox.list(TENANT),
        "latest": lambda: backend.log.latest(topic, ["task.output"], 10),
        "search": lambda: backend.log.search(TENANT, "of", ["task.output"], 10),
        "chains": lambda: backend.audit.chains(TENANT),
        "swap": lambda: backend.tasks.replace(stolen, evolve(stolen, version=stolen.version + 1)),
        "append": lambda: backend.log.append([note(topic)], Guard(theirs.id, theirs.fence, 1)),
    }
    leaking = list[str]()
    for name, call in calls.items():
        try:
            answer = await call()
        except (NotFound, VersionConflict, StaleLease):
            continue
        if answer is None or repr(str(OTHER_TENANT)) in repr(answer):
            leaking.append(name)
    return leaking


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
            assert len(await leaks(backend, theirs)) == 12
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
