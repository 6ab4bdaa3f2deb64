"""What a server of ours tells of a task another one takes, however much it is."""

from __future__ import annotations

from typing import Any

import pytest

from codetether_core.tasks import Task
from tests.a2a.hub import Hub, Run, open_hub
from tests.peers.far import URL, Far
from tests.peers.stage import staged

MIB = 1024 * 1024


async def told(hub: Hub, run: Run) -> dict[str, Any]:
    """The task as its server tells it at its end."""
    await run.end(result="done")
    result: dict[str, Any] = await hub.result("GetTask", {"id": run.id, "historyLength": 0})
    return result


async def taken(task: dict[str, Any]) -> tuple[Task, str]:
    """The task here that comes of one there, and what it printed."""
    far = Far()
    async with staged(far) as stage:
        await stage.enlist(URL)
        id = await stage.give("do it")
        await stage.until_placed(id)
        far.task = task
        far.cut()
        return await stage.ended(id), await stage.printed(id)


@pytest.mark.parametrize("sizes", [(14 * MIB,), (16 * MIB,), (6 * MIB, 5 * MIB, 5 * MIB)])
async def test_large_files(sizes: tuple[int, ...]) -> None:
    async with open_hub() as hub:
        run = await hub.begin()
        for number, size in enumerate(sizes):
            await run.leave(f"file {number}", b"x" * size)
        task, _ = await taken(await told(hub, run))
    assert (task.result, [each.size for each in task.artifacts]) == ("done", [*sizes])


async def test_files_that_are_too_large_are_told_by_where_they_are() -> None:
    async with open_hub() as hub:
        run = await hub.begin()
        await run.leave("a", b"x" * (16 * MIB))
        await run.leave("b", b"x" * MIB)
        task, printed = await taken(await told(hub, run))
        assert [each.name for each in task.artifacts] == ["a"]
        assert f"b: http://server/v1/agent/tasks/{run.id}/artifacts/b" in printed


@pytest.mark.parametrize("character", ["語", "\1"])
async def test_much_text(character: str) -> None:
    """Characters that take 3 bytes, and 6, of JSON."""
    async with open_hub() as hub:
        run = await hub.begin()
        piece = character * (MIB // 2)
        for _ in range(17):
            await run.say(piece)
        known = await told(hub, run)
        task, printed = await taken(known)
    (made,) = known["artifacts"]
    assert (task.result, made["metadata"]) == ("done", {"truncated": True})
    assert printed == made["parts"][0]["text"]
    assert len(printed) >= 3 * MIB


async def test_files_called_json() -> None:
    """Objects are told as data, and are files still."""
    async with open_hub() as hub:
        run = await hub.begin()
        await run.leave("o.json", b'{"k":1}', "application/json")
        await run.leave("said.json", b'{"type":"text","text":"I am a file"}', "application/json")
        task, printed = await taken(await told(hub, run))
    assert [(each.name, each.size) for each in task.artifacts] == [("o.json", 7), ("said.json", 36)]
    assert printed == ""
