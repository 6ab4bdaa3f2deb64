"""The store is killed under load: nobody is told what is not so, and everything goes on once it is back."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import pytest
from attrs import frozen

from codetether_core.tasks import TaskState
from tests.e2e.cluster import Cluster
from tests.e2e.programs import until
from tests.servers.postgres import new_store, the_server
from tests.servers.valkey import Valkey, ValkeyCluster

PATIENT = {"CODETETHER_LEASE_TTL": "60s"}  # the store may be away for longer than a short lease


@frozen
class Store:
    """A server of its own that promises to keep what it took, and may be killed."""

    url: str
    kill: Callable[[], object]
    start: Callable[[], object]


@pytest.fixture(params=["postgresql", "redis", "redis-cluster"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """One that runs."""
    if request.param == "postgresql":
        server = the_server()
        yield Store(new_store(), lambda: server.stop(signal.SIGKILL), server.start)
        return
    settings = ("--appendonly", "yes", "--appendfsync", "always")
    redis = Valkey(*settings) if request.param == "redis" else ValkeyCluster(*settings)
    servers = [redis] if isinstance(redis, Valkey) else redis.masters
    try:
        yield Store(
            redis.start().url,
            partial(for_each, servers, Valkey.kill),
            partial(for_each, servers, Valkey.start),
        )
    finally:
        redis.close()


def for_each(servers: Iterable[Valkey], do: Callable[[Valkey], object]) -> None:
    for server in servers:
        do(server)


@pytest.fixture
def replicas(store: Store, tmp_path: Path) -> Iterator[tuple[Cluster, Cluster]]:
    """Two, of which nothing runs yet."""
    pair = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        pair.append(Cluster(tmp_path / name, {"CODETETHER_STORE": store.url}))
    try:
        yield pair[0], pair[1]
    finally:
        for each in pair:
            each.close()
            sys.stderr.write(each.said())


def test_a_killed_store_loses_nothing_that_was_accepted(store: Store, replicas: tuple[Cluster, Cluster]) -> None:
    """Runs go on meanwhile, probes say what is wrong, and every line is there once in the end."""
    one, two = replicas
    servers = [each.server(**PATIENT) for each in replicas]
    one.worker(CODETETHER_WORKER_SLOTS="3")
    stop = one.directory / "stop"
    account = one.directory / "account"
    script = f"i=0; while [ ! -e {{stop}} ]; do i=$((i+1)); echo {{name}} $i; echo $i > {account}; sleep 0.01; done"
    tasks = [one.client.tasks.run(script.format(stop=stop, name=name), agent="sh") for name in ("a", "b", "c")]
    for task in tasks:
        one.until_said(task, " 20\n")
    watched = two.client.tasks.handle(tasks[0].id).events()
    seen = list(islice(watched, 5))
    assert [task.refresh().status for task in tasks] == [TaskState.RUNNING] * 3
    store.kill()
    printed = account.read_text()
    until(lambda: account.read_text() not in ("", printed), "an output that nobody acknowledged")
    for each in replicas:
        until(lambda each=each: not each.client.health()["ready"], "readiness withdrawn")  # type: ignore[misc]
    until(lambda: all("store_away" in server.said for server in servers), "a word of it in the logs")
    store.start()
    for each in replicas:
        until(lambda each=each: each.client.health()["ready"], "readiness")  # type: ignore[misc]
    until(lambda: all("store_back" in server.said for server in servers), "a word of that, too")
    assert all(server.said.count("store_away") == 1 and "psycopg" not in server.said for server in servers)
    late = two.client.tasks.run("echo fine", agent="echo")
    stop.write_text("")
    seen += list(watched)
    for task in (*tasks, late):
        view = one.until_state(one.client.tasks.handle(task.id), TaskState.COMPLETED, TaskState.FAILED)
        assert (view.status, view.attempt, view.attempts_charged) == (TaskState.COMPLETED, 1, 0)
    for task in tasks:
        lines = two.text(two.client.tasks.handle(task.id)).splitlines()
        assert [int(line.split()[1]) for line in lines] == [*range(1, len(lines) + 1)]
    assert "".join(event.text for event in seen) == two.text(tasks[0])
    for program in (*one.programs, *two.programs):
        assert "Traceback" not in program.said
