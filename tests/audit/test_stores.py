"""The trail on each store: whole while everybody writes, told apart from one that somebody changed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen

from codetether_core.audit import Actor, AuditQuery, Outcome
from codetether_core.errors import Invalid
from codetether_core.ports import Clock
from codetether_core.services import Entry, Services
from tests.audit.installation import ADMIN, installation, lines, submit, unpacked, walked
from tests.e2e.engines import ENGINES, store_settings

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("engine", ENGINES)
async def test_it_is_whole_while_two_replicas_write_and_seal(engine: str, tmp_path: Path) -> None:
    """Each record is sealed in the end, whoever did it."""
    settings = store_settings(engine)
    async with AsyncExitStack() as stack:
        replicas: list[Services] = []
        for _ in range(1 if engine == "sqlite" else 2):
            replicas.append(await stack.enter_async_context(installation(settings, tmp_path)))

        async def work(services: Services) -> None:
            for _ in range(5):
                await submit(services, 6)
                await services.sealing.seal()

        await asyncio.gather(*map(work, replicas), *map(work, replicas))
        await replicas[-1].sealing.seal()
        walk = await walked(replicas[0])
        assert walk.flaws == [] and walk.unsealed == 0
        assert sum(b'"action":"task.created"' in line for line in await lines(replicas[0])) == 60 * len(replicas)


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_head_that_was_kept_is_still_led_to_later(engine: str, tmp_path: Path) -> None:
    """And another one is not."""
    async with installation(store_settings(engine), tmp_path) as services:
        await submit(services, 3)
        await services.sealing.seal()
        kept = {each.chain.name: each.head for each in await services.auditing.heads(ADMIN)}
        await submit(services, 3)
        await services.sealing.seal()
        known = {name: {head.number: head.hash} for name, head in kept.items()}
        assert (await walked(services, known)).flaws == []
        other = {name: {head.number: bytes(32)} for name, head in kept.items()}
        assert all("does not lead to the head" in flaw for flaw in (await walked(services, other)).flaws)
        assert len((await walked(services, other)).flaws) == len(kept)


@pytest.mark.parametrize("engine", ENGINES)
async def test_what_is_old_is_filed_and_the_chain_goes_on(engine: str, tmp_path: Path) -> None:
    """The blob has the lines as they were; what stays begins behind them, and nothing is missed."""
    async with installation(store_settings(engine), tmp_path, retention=timedelta(0)) as services:
        for turn in range(3):
            for number in range(300):
                actor = Actor(name=f"reader {turn} {number}")
                services.recording.count(ADMIN.tenant, actor, "tasks:read", "/v1/agent/tasks", Outcome.SUCCESS)
            await services.recording.flush()
            await services.sealing.seal()
        before = await lines(services)
        gone = await services.trail_upkeep.filing.file()
        await services.sealing.seal()
        after, walk = await lines(services), await walked(services)
        assert gone >= 500 and walk.flaws == []
        kept = [line for blob in walk.filed for line in await unpacked(services, blob)]
        assert [*kept, *after][: len(before)] == before
        assert len(kept) == gone
        again = [line async for line in services.auditing.lines(ADMIN)]
        assert again == after


@pytest.mark.parametrize(
    ("statements", "flaws"),
    [
        ([], []),
        (["UPDATE audit SET body = CAST(replace(body, 'created', 'deleted') AS BLOB) WHERE number = 3"],
         ["record 3 was changed after it was written"]),
        (["DELETE FROM audit WHERE number = 4"], ["record 4 is not there"]),
        (["UPDATE audit SET number = -2 WHERE number = 2", "UPDATE audit SET number = 2 WHERE number = 5",
          "UPDATE audit SET number = 5 WHERE number = -2"],
         ["record 2 is not in its place", "record 5 is not in its place"]),
        (["DELETE FROM audit WHERE number > 9"], ["each of records 10 to 11 was cut off the end"]),
        (["DELETE FROM audit"], ["each of records 1 to 11 was cut off the end"]),
    ],
    ids=["nothing", "changed", "removed", "exchanged", "cut", "all"],
)  # fmt: skip
async def test_what_is_done_to_the_file_is_found(statements: Sequence[str], flaws: list[Any], tmp_path: Path) -> None:
    """By somebody who can write to the store."""
    async with installation({}, tmp_path) as services:
        await submit(services, 8)
        await services.sealing.seal()
        await submit(services, 2)
    with closing(sqlite3.connect(tmp_path / "codetether.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)
        ((chain,),) = connection.execute("SELECT chain FROM audit_chains").fetchall()
    async with installation({}, tmp_path) as services:
        assert [flaw.replace(f" of chain {chain}", "") for flaw in (await walked(services)).flaws] == flaws


async def test_of_what_is_filed_nothing_is_lost(tmp_path: Path) -> None:
    """Not even a record that is younger than those around it."""
    async with installation({}, tmp_path, retention=timedelta(0)) as services:
        for number in range(600):
            actor = Actor(name=f"reader {number}")
            services.recording.count(ADMIN.tenant, actor, "tasks:read", "/v1/agent/tasks", Outcome.SUCCESS)
        await services.recording.flush()
        ahead = evolve(services.recording, clock=Ahead(services.clock))
        await ahead.record(ADMIN.tenant, Actor(name="ahead"), "tried", "x", Outcome.SUCCESS, {})
        await services.sealing.seal()
        await submit(services, 1)
        await services.sealing.seal()
        assert await services.trail_upkeep.filing.file() in (0, 500)
        walk = await walked(services)
        kept = [line for blob in walk.filed for line in await unpacked(services, blob)]
        assert walk.flaws == []
        assert sum(b'"actor":"ahead"' in line for line in [*kept, *await lines(services)]) == 1


@frozen
class Ahead:
    """A clock that is fast."""

    clock: Clock

    def now(self) -> datetime:
        return self.clock.now() + timedelta(seconds=30)

    async def sleep(self, duration: timedelta) -> None:
        await self.clock.sleep(duration)


async def test_a_count_that_was_tampered_with_stops_nobody(tmp_path: Path) -> None:
    """It says how far the chain goes; what is there is read all the same."""
    async with installation({}, tmp_path) as services:
        await submit(services, 3)
    with closing(sqlite3.connect(tmp_path / "codetether.db")) as connection, connection:
        connection.execute("UPDATE audit_chains SET last = 1000000000000000")
    async with installation({}, tmp_path) as services:
        await services.sealing.seal()
        assert len((await services.auditing.find(ADMIN, AuditQuery(), limit=9)).records) == 3
        assert any("cut off the end" in flaw or "is not there" in flaw for flaw in (await walked(services)).flaws)


async def test_a_copy_brings_the_trail_along(tmp_path: Path) -> None:
    """Byte for byte, with what was filed away of it; the new store adds to a chain of its own."""
    async with (
        installation({"CODETETHER_STORE": f"sqlite://{tmp_path}/old.db"}, tmp_path, retention=timedelta(0)) as old,
        installation({"CODETETHER_STORE": f"sqlite://{tmp_path}/new.db"}, tmp_path) as new,
    ):
        for number in range(600):
            old.recording.count(ADMIN.tenant, Actor(name=f"{number}"), "tasks:read", "/", Outcome.SUCCESS)
        await old.recording.flush()
        await old.sealing.seal()
        await submit(old, 2)
        await old.sealing.seal()
        assert await old.trail_upkeep.filing.file()
        before = await lines(old)
        entries = [entry async for entry in old.archiving.copy(ADMIN.tenant)]
        (blob,) = [entry.data["id"] for entry in entries if entry.kind == "blob"]
        await new.restoring.restore(ADMIN.tenant, told(entries))
        after = await lines(new)
        assert [line for line in after if line in before] == before
        walk = await walked(new)
        assert walk.flaws == [] and walk.filed == [blob]
        assert any(b'"action":"backup.restored"' in line for line in after)


@pytest.mark.parametrize(
    "entry",
    [
        Entry("event", {"scope": "audit", "subject": "", "kind": "k", "at": "2026-11-28T00:00:00Z", "data": {}}),
        Entry("audit", {"chain": "other", "start": 0, "records": [[1, "no record"]]}),
        Entry("audit", {"chain": "other", "start": 0, "records": [[1, "[]"]]}),
        Entry("audit", {"chain": "other", "start": 0, "records": []}),
        Entry("audit", {"chain": "other", "start": 0, "records": [[1, '{"a":1}'], [3, '{"a":1}']]}),
    ],
)
async def test_a_copy_cannot_forge_the_trail(entry: Entry, tmp_path: Path) -> None:
    async with installation({}, tmp_path) as services:
        with pytest.raises(Invalid, match="audit"):
            await services.restoring.restore(ADMIN.tenant, told([entry]))
        assert not await lines(services)


async def told(entries: Sequence[Entry]) -> AsyncIterator[Entry]:
    for entry in entries:
        yield entry
