"""The trail on each store: whole while everybody writes, told apart from one that somebody changed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from codetether_core.audit import Actor, Outcome
from codetether_core.services import Services
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
