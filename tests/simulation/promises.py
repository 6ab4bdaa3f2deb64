"""What the store has in the end, held against what everybody was told."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from codetether_core.events import Record, Topic
from codetether_core.services import Watching
from codetether_core.tasks import Task, TaskState
from tests.simulation.world import USER, World

__all__ = ["by_task", "everything", "kept", "sound"]

_ENDINGS = frozenset({"task.completed", "task.failed", "task.cancelled"})


async def everything(watching: Watching) -> list[Record]:
    """The tenant's whole log."""
    found: list[Record] = []
    async for page in watching.replay(Topic(USER.tenant)):
        found += getattr(page, "records", ())
    return found


def by_task(log: Sequence[Record]) -> Mapping[str, Sequence[Record]]:
    """The records of each task."""
    found: dict[str, list[Record]] = defaultdict(list)
    for record in log:
        found[record.topic.subject].append(record)
    return found


async def kept(world: World, log: Sequence[Record]) -> None:
    """Fail on any promise that was broken."""
    assert len(set(world.submitted)) == len(world.submitted)
    stories = by_task(log)
    for id in world.submitted:
        task = await world.store.tasks.get(USER.tenant, id)
        printed = sound(task, stories[id])
        for attempt, texts in printed.items():
            assert texts == [f"{attempt}:{number}" for number in range(len(texts))]
        for (acknowledged, attempt), count in world.acknowledged.items():
            if acknowledged == id:
                assert len(printed.get(attempt, ())) >= count, "acknowledged output is lost"
        if told := world.outcomes.get(id):
            assert task.state is TaskState.COMPLETED
            assert task.grant is not None
            assert (task.grant.number, task.result) == told


def sound(task: Task, story: Sequence[Record]) -> Mapping[int, Sequence[str]]:
    """What each attempt printed, of a task that has ended, once, and whose grants never speak out of turn."""
    assert task.ended, task
    assert [record.number for record in story] == [*range(1, len(story) + 1)]
    assert [record.kind in _ENDINGS for record in story].count(True) == 1, "one outcome"
    printed: dict[int, list[str]] = defaultdict(list)
    latest = 0
    for record in story:
        data: dict[str, Any] = json.loads(record.body)
        if record.kind == "task.status" and data["status"] == "running":
            latest = max(latest, data["attempt"])
        if record.kind == "task.output":
            assert data["attempt"] >= latest, "output of a superseded grant"
            printed[data["attempt"]].append(data["output"])
    return printed
