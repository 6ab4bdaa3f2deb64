"""What two tenants have in a PostgreSQL store, and what one of them gets of the other's."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import psycopg
import pytest
from attrs import evolve

from codetether_adapters.postgres import group, reader
from codetether_adapters.postgres.connection import SESSION, Connection, Row, execute
from codetether_core.approvals import Approval, ApprovalKind
from codetether_core.codebases import Codebase
from codetether_core.errors import NotFound, StaleLease, VersionConflict
from codetether_core.events import AUDIT, Event, Guard, Topic
from codetether_core.ids import AgentName, ApprovalId, MessageId, SessionId, TenantId, WorkerId
from codetether_core.messages import Message
from codetether_core.ports import ApprovalChange, Backend, SessionQuery, TaskQuery
from codetether_core.sessions import Session, SessionMessage
from codetether_core.tasks import Task, lane_of
from contracts.ports.samples import CODEBASE, NOW, OTHER_TENANT, TENANT, claimed, new_task, note, output
from contracts.ports.webhook_store import new_webhook
from tests.servers.postgres import new_store, overseeing

__all__ = ["OF_NOBODY", "everything", "fill", "forget_tenants", "leaks", "tables", "walled_tables"]

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
    await backend.log.append(output(task, f"of {tenant}"), Guard(task.tenant, task.id, running.fence, 0))
    codebase = Codebase(id=CODEBASE, tenant=tenant, name="n", path="/p", registered_at=NOW, updated_at=NOW)
    await backend.codebases.add(codebase)
    session = Session(
        id=SessionId("s"), tenant=tenant, codebase=CODEBASE, created_at=NOW, updated_at=NOW, synced_at=NOW, title="of"
    )
    said = SessionMessage(id="m", session=SessionId("s"), role="user", created_at=NOW)
    await backend.sessions.put(None, session, [said])
    await backend.sessions.erase(tenant, CODEBASE, SessionId(tenant), version=None)
    message = Message(id=MessageId("m"), tenant=tenant, sender="s", recipient=AgentName("a"), body="b", sent_at=NOW)
    await backend.inbox.add(message)
    await backend.webhooks.add(new_webhook(tenant=tenant, task=task.id))
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


def walled_tables() -> list[str]:
    """The tables that must have a wall."""
    return sorted(tables(new_store()).keys() - OF_NOBODY)


def forget_tenants(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the stores' own statements ask for no tenant: the first wall is gone."""

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
        "walk": lambda: backend.sessions.walk(TENANT, limit=10),
        "erased": lambda: backend.sessions.erased(TENANT),
        "inbox": lambda: backend.inbox.list(TENANT),
        "latest": lambda: backend.log.latest(topic, ["task.output"], 10),
        "search": lambda: backend.log.search(TENANT, "of", ["task.output"], 10),
        "chains": lambda: backend.audit.chains(TENANT),
        "swap": lambda: backend.tasks.replace(stolen, evolve(stolen, version=stolen.version + 1)),
        "append": lambda: backend.log.append([note(topic)], Guard(TENANT, theirs.id, theirs.fence, 1)),
        "remove": lambda: backend.tasks.remove(evolve(stolen, version=stolen.version + 1)),
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
