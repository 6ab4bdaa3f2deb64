"""Many tasks, many workers, and a replica that is killed halfway: none lost, one outcome each."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence

import pytest

from codetether_adapters.client import Client, NewTask, Patience
from codetether_apps.settings import Settings, read_settings
from codetether_apps.wiring.backends import open_backend
from codetether_apps.wiring.channels import channel_opener
from codetether_core.access import DEFAULT_TENANT
from codetether_core.events import Topic
from codetether_core.ports import TaskOrder, TaskQuery
from codetether_core.services import Watching
from codetether_core.tasks import CHANGE_KINDS, TaskState
from tests.e2e.cluster import TOKEN, Cluster
from tests.e2e.engines import SHARED
from tests.e2e.programs import until
from tests.replicas.waking import at_two
from tests.simulation.virtual_time import VirtualClock

_ENDINGS = frozenset({"task.completed", "task.failed", "task.cancelled"})
_LASTING = Patience(attempts=60, total=120.0)


@at_two("redis-cluster")
def test_none_is_lost_when_a_replica_is_killed(replicas: tuple[Cluster, Cluster]) -> None:
    """A short one for every day."""
    survive(replicas, tasks=100, workers=2)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@at_two(*SHARED)
def test_none_of_thousands_is_lost_when_a_replica_is_killed(
    replicas: tuple[Cluster, Cluster], capsys: pytest.CaptureFixture[str]
) -> None:
    """The long one; its report is printed."""
    report = survive(replicas, tasks=5_000, workers=8)
    with capsys.disabled():
        print(f"\n{report}")


def survive(replicas: tuple[Cluster, Cluster], *, tasks: int, workers: int) -> str:
    """Kill one of two replicas halfway and start it again; the report."""
    one, two = replicas
    patient = {"CODETETHER_LEASE_TTL": "60s"}
    server = one.server(**patient)
    two.server(**patient)
    for number in range(workers):
        (one if number % 2 else two).worker(f"w{number}", CODETETHER_WORKER_SLOTS="8", CODETETHER_LOG_LEVEL="warning")
    ids: list[str] = []
    halves = [threading.Thread(target=submit, args=(each, tasks // 2, ids), daemon=True) for each in replicas]
    for half in halves:
        half.start()
    until(lambda: len(ids) > tasks // 2, "half of the submissions", patience=600)
    server.kill()
    running = two.client.tasks.list(status=[TaskState.RUNNING], limit=20)
    one.server(**patient)
    for half in halves:
        half.join()
    assert len(set(ids)) == tasks
    done = asyncio.run(ended(read_settings(environment=one.settings), ids))
    assert done.pop("lost", 0) == 0
    assert done.pop("outcomes twice", 0) == 0
    assert done["completed"] == tasks
    told = ", ".join(f"{count:,} {what}" for what, count in sorted(done.items()))
    return f"{tasks:,} tasks, {workers} workers, 2 replicas, 1 killed while {len(running)} ran: 0 lost, {told}"


def submit(cluster: Cluster, count: int, ids: list[str]) -> None:
    """Submit tasks at one replica, again and again while it is dead."""
    with Client(cluster.url, token=TOKEN, patience=_LASTING) as client:
        for number in range(count):
            ids.append(client.tasks.submit(NewTask(f"{cluster.port} {number}", agent="echo")).id)


async def ended(settings: Settings, ids: Sequence[str]) -> Counter[str]:
    """How the tasks ended, by the store's own word, once all have."""
    async with open_backend(settings, open_channel=channel_opener(settings)) as backend:
        async with asyncio.timeout(1200):
            while True:
                states = await backend.tasks.count(DEFAULT_TENANT)
                if sum(states.get(state, 0) for state in TaskState if state.name in _OVER) >= len(ids):
                    break
                await asyncio.sleep(0.2)
        found: Counter[str] = Counter()
        known = set()
        after = 0
        while page := await backend.tasks.list(
            DEFAULT_TENANT, TaskQuery(order=TaskOrder.NEWEST, limit=500, after=after)
        ):
            after += len(page)
            known |= {task.id for task in page}
            found.update(task.state.value for task in page)
        found["lost"] = len(set(ids) - known)
        endings: Counter[str] = Counter()
        watching = Watching(backend.log, backend.notifier, VirtualClock())
        async for records in watching.replay(Topic(DEFAULT_TENANT), kinds=CHANGE_KINDS):
            endings.update(
                record.topic.subject for record in getattr(records, "records", ()) if record.kind in _ENDINGS
            )
        assert set(endings) == set(ids)
        found["outcomes twice"] = sum(count > 1 for count in endings.values())
        return found


_OVER = {"COMPLETED", "FAILED", "CANCELLED"}
