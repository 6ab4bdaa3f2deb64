"""Whatever fails, dies, lapses or is cut off: nothing is lost, one word counts, watchers see everything once."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from codetether_core.events import Record, Topic
from codetether_core.tasks import GLOBAL
from tests.simulation import virtual_time
from tests.simulation.actors import keep_submitting, watch, work
from tests.simulation.promises import everything, kept
from tests.simulation.world import USER, open_world

TASKS, WORKERS, WATCHERS = 30, 4, 3
SETTLED = 4 * 3600.0
"""Seconds after the last task was submitted: run deadline, retries and all."""


async def story(seed: int) -> list[Record]:
    """One whole run; its log."""
    async with open_world(seed) as world, asyncio.TaskGroup() as actors:
        topics = [Topic(USER.tenant), Topic.codebase(USER.tenant, GLOBAL)] * WATCHERS
        seen: list[list[Record]] = [[] for _ in range(WATCHERS)]
        going = [actors.create_task(work(world, f"w{number}")) for number in range(WORKERS)]
        going += [actors.create_task(watch(world, *each)) for each in zip(topics, seen, strict=False)]
        await keep_submitting(world, TASKS)
        await asyncio.sleep(SETTLED)
        world.faults.on = False
        await asyncio.sleep(60)
        log = await everything(world.replicas[0].watching)
        for actor in going:
            actor.cancel()
        await kept(world, log)
        assert world.outcomes
        assert world.acknowledged
        for records in seen:
            assert [record.position for record in records] == [record.position for record in log]
    return log


@pytest.mark.parametrize("seed", range(12))
def test_the_promises_hold(seed: int) -> None:
    """The seed is the name of the test."""
    virtual_time.run(story(seed))


@pytest.mark.chaos
def test_the_promises_hold_for_long() -> None:
    """Many seeds; the one that breaks a promise is told."""
    for seed in range(1_000, 1_300):
        try:
            virtual_time.run(story(seed))
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


def test_a_seed_tells_the_same_story_again() -> None:
    """In another process too, or a failure could not be looked at."""
    program = (
        "import hashlib; from tests.simulation import virtual_time; from tests.simulation.test_promises import story;"
        " log = virtual_time.run(story(7));"
        " print(hashlib.sha256(b'\\n'.join(record.body for record in log)).hexdigest())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hashed},
            capture_output=True,
            check=True,
        ).stdout
        for hashed in ("1", "2")
    }
    assert len(told) == 1
