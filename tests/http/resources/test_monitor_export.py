"""Exports of the monitor: complete, and harmless in a spreadsheet."""

import csv
import io
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.http.resources.monitor_export import cell
from contracts.ports.harness import forget
from tests.http.coverage import covers
from tests.http.resources.test_monitor import run
from tests.http.resources.world import World, open_world

AT = "/v1/monitor/export"


async def rows(world: World, **query: object) -> list[list[str]]:
    response = await world.client.get(f"{AT}/csv", params={name: str(value) for name, value in query.items()})
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"].startswith('attachment; filename="codetether-monitor-')
    return list(csv.reader(io.StringIO(response.content.decode(), newline="")))


@covers(f"GET {AT}/json")
async def test_the_document_has_the_messages_that_the_monitor_shows() -> None:
    async with open_world() as world:
        assert json.loads((await world.client.get(f"{AT}/json")).content)["messages"] == []
        await run(world, "one", "two")
        shown = await world.get("/v1/monitor/messages")
        exported = await world.get(f"{AT}/json")
        assert exported["messages"] == shown
        assert exported["message_count"] == exported["total_in_database"] == len(shown) == 5
        assert exported["stats"] == await world.get("/v1/monitor/stats")
        last = await world.get(f"{AT}/json", limit=2)
        assert (last["messages"], last["message_count"]) == (shown[-2:], 2)


@covers(f"GET {AT}/csv")
async def test_the_table_has_a_row_for_each_message() -> None:
    async with open_world() as world:
        await run(world, 'a "quoted", line\nand another')
        await run(world, status="failed", error="broken")
        header, *found = await rows(world)
        assert header == ["Timestamp", "Type", "Agent", "Content", "Response Time", "Tokens", "Error"]
        shown = await world.get("/v1/monitor/messages")
        assert [row[3] for row in found] == [message["content"] for message in shown]
        assert found[-1] == [shown[-1]["timestamp"], "error", "Task Manager", shown[-1]["content"], "", "", "broken"]
        assert "None" not in str(found)


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
async def test_what_looks_like_a_formula_is_defused(first: str) -> None:
    async with open_world() as world:
        payload = f'{first}cmd|" /C calc"!A0'
        await run(world, payload)
        await run(world, status="failed", error=payload)
        found = await rows(world)
        assert found[3][3] == f"'{payload}"
        assert found[-1][6] == f"'{payload}"


@given(st.text())
def test_a_cell_never_begins_like_a_formula_and_keeps_its_text(text: str) -> None:
    made = cell(text)
    assert not made.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert made.removeprefix("'") == text.removeprefix("'")


async def test_everything_is_more_than_the_last_and_comes_page_by_page() -> None:
    async with open_world() as world:
        await run(world, *(f"{number:02d}" + "x" * 40_000 for number in range(20)))
        shown = await world.get("/v1/monitor/messages")
        assert len(shown) == 23
        assert (await world.get(f"{AT}/json", all_messages=True, limit=1))["messages"] == shown
        assert len(await rows(world, all_messages=True, limit=1)) == 24
        assert len(await rows(world, limit=1)) == 2
        assert (await world.get(f"{AT}/json", limit=15))["messages"] == shown[-15:]


async def test_the_last_are_told_from_the_log_as_it_was_when_it_began() -> None:
    async with open_world() as world:
        for _ in range(3):
            await run(world, "x")
        await forget(world.services.backend.log, world.clock.now() + timedelta(days=1), 3)
        shown = await world.get("/v1/monitor/messages")
        for limit in (1, 4, len(shown), 1000):
            assert (await world.get(f"{AT}/json", limit=limit))["messages"] == shown[-limit:]
