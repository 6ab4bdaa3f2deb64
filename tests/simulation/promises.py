"""What the store has in the end, held against what everybody was told."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from codetether_core.events import Record, Topic
from codetether_core.ids import TaskId
from codetether_core.services import Services
from codetether_core.tasks import TaskState
from tests.simulation.world import USER, World

__all__ = ["everything", "kept"]

_ENDINGS = frozenset({"task.completed", "task.failed", "task.cancelled"})


async def everything(services: Services) -> list[Record]:
    """The tenant's whole log."""
    found: list[Record] = []
    async for page in services.watching.replay(Topic(USER.tenant)):
        found += getattr(page, "records", ())
    return found


async def kept(world: World, log: Sequence[Record]) -> None:
    """Fail on any promise that was broken."""
    assert len(set(world.submitted)) == len(world.submitted)
    by_task: dict[str, list[Record]] = defaultdict(list)
    for record in log:
        by_task[record.topic.subject].append(record)
    for id in world.submitted:
        task = await world.store.tasks.get(USER.tenant, id)
        assert task.ended, task
        story = by_task[id]
        assert [record.number for record in story] == [*range(1, len(story) + 1)]
        assert [record.kind in _ENDINGS for record in story].count(True) == 1, "one outcome"
        _output_is_whole(world, id, story)
        if told := world.outcomes.get(id):
            assert task.state is TaskState.COMPLETED
            assert task.grant is not None
            assert (task.grant.number, task.result) == told


def _output_is_whole(world: World, id: TaskId, story: Sequence[Record]) -> None:
    """Every attempt's output is there once and in order, all that was acknowledged at least, and none is mixed."""
    printed: dict[int, list[str]] = defaultdict(list)
    latest = 0
    for record in story:
        data: dict[str, Any] = json.loads(record.body)
        if record.kind == "task.status" and data["status"] == "running":
            latest = max(latest, data["attempt"])
        if record.kind == "task.output":
            assert data["attempt"] >= latest, "output of a superseded grant"
            printed[data["attempt"]].append(data["output"])
    for attempt, texts in printed.items():
        assert texts == [f"{attempt}:{number}" for number in range(len(texts))]
    for (task, attempt), count in world.acknowledged.items():
        if task == id:
            assert len(printed[attempt]) >= count, "acknowledged output is lost"
