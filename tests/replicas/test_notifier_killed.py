"""Redis, which tells replicas on PostgreSQL of each other, is killed under load: all goes on, only later."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from codetether_core.tasks import TaskState
from tests.e2e.cluster import Cluster
from tests.e2e.programs import until
from tests.servers.postgres import new_store
from tests.servers.valkey import Valkey

PATIENT = {"CODETETHER_LEASE_TTL": "60s"}


@pytest.fixture
def notifier() -> Iterator[Valkey]:
    """One that keeps nothing."""
    valkey = Valkey().start()
    yield valkey
    valkey.close()


@pytest.fixture
def replicas(notifier: Valkey, tmp_path: Path) -> Iterator[tuple[Cluster, Cluster]]:
    """Two, of which nothing runs yet, told of both servers by the deployed system's names."""
    settings = {"DATABASE_URL": new_store(), "A2A_REDIS_URL": notifier.url}
    pair = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        pair.append(Cluster(tmp_path / name, dict(settings)))
    try:
        yield pair[0], pair[1]
    finally:
        for each in pair:
            each.close()
            sys.stderr.write(each.said())


def test_a_killed_notifier_costs_time_only(notifier: Valkey, replicas: tuple[Cluster, Cluster]) -> None:
    """Both stay ready and say what is missing; every line is there once in the end, and each is told again."""
    one, two = replicas
    one.server(**PATIENT)
    two.server(**PATIENT)
    assert readiness(one) == readiness(two) == {"store": "ok", "notifier": "ok"}
    one.worker(CODETETHER_WORKER_SLOTS="4")
    stop = one.directory / "stop"
    script = "i=0; while [ ! -e {stop} ]; do i=$((i+1)); echo {name} $i; sleep 0.01; done"
    tasks = [one.client.tasks.run(script.format(stop=stop, name=name), agent="sh") for name in ("a", "b", "c")]
    for task in tasks:
        one.until_said(task, " 20\n")
    watched = two.client.tasks.handle(tasks[0].id).events()
    seen = list(islice(watched, 5))
    notifier.kill()
    for each in replicas:
        until(lambda each=each: readiness(each)["notifier"] == "unavailable", "its absence is noticed")  # type: ignore[misc]
        assert readiness(each)["store"] == "ok" and each.client.health()["ready"]
    seen += islice(watched, 200)
    one.client.agents.register("reviewer")
    two.client.messages.send("reviewer", "please look")
    assert [message.body for message in one.client.messages.receive("reviewer")] == ["please look"]
    meanwhile = two.client.tasks.run("echo meanwhile", agent="sh")
    two.until_state(meanwhile, TaskState.COMPLETED)
    notifier.start()
    for each in replicas:
        until(lambda each=each: readiness(each)["notifier"] == "ok", "it is back")  # type: ignore[misc]
    (channel,) = notifier.ask("PUBSUB", "CHANNELS", "ct:channel:*")
    assert notifier.ask("PUBSUB", "NUMSUB", channel) == [channel, 2]
    late = two.client.tasks.run("echo late", agent="sh")
    stop.write_text("")
    seen += list(watched)
    for task in (*tasks, meanwhile, late):
        view = one.until_state(one.client.tasks.handle(task.id), TaskState.COMPLETED, TaskState.FAILED)
        assert (view.status, view.attempt, view.attempts_charged) == (TaskState.COMPLETED, 1, 0)
    for task in tasks:
        lines = two.text(two.client.tasks.handle(task.id)).splitlines()
        assert [int(line.split()[1]) for line in lines] == [*range(1, len(lines) + 1)]
    numbers = [event.data["sequence"] for event in seen if "sequence" in event.data]
    assert numbers == sorted(set(numbers))
    assert "".join(event.text for event in seen) == two.text(tasks[0])
    for program in (*one.programs, *two.programs):
        assert "Traceback" not in program.said


def readiness(cluster: Cluster) -> dict[str, Any]:
    """What its checks say, and that it is ready."""
    with urllib.request.urlopen(f"{cluster.url}/readyz?verbose") as answer:
        told: dict[str, Any] = json.load(answer)
    assert told["status"] == "ready"
    return dict(told["checks"])
