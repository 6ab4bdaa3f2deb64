"""The end of what a run printed, where most of it says nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from codetether_adapters.mcp.hub import Hub
from codetether_adapters.mcp.tools.output import read_tail
from codetether_core.tasks import Task


async def test_it_is_looked_for_in_few_steps() -> None:
    steps: list[tuple[int, int]] = []

    async def count(task: Task) -> int:
        return 15_000

    async def output(task: Task, *, offset: int, limit: int, size: int) -> list[Any]:
        steps.append((offset, limit))
        return []

    logs = SimpleNamespace(count=count, output=output)
    hub, task = SimpleNamespace(services=SimpleNamespace(task_logs=logs)), SimpleNamespace(id="t", ended=True)
    told = await read_tail(cast(Hub, hub), cast(Task, task), 10)
    assert (told.text, told.truncated) == ("", False)
    assert len(steps) <= 10
    assert [offset for offset, _ in steps[:-1]] == [offset + limit for offset, limit in steps[1:]]
    assert steps[-1][0] == 0
