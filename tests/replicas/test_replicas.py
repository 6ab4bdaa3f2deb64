"""What one replica was told, all of them know; and what one was doing, another goes on with."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from codetether_adapters.client import NewTask
from codetether_core.approvals import ApprovalState
from codetether_core.tasks import TaskState
from tests.e2e.cluster import TOKEN, Cluster
from tests.e2e.programs import PATIENCE, until
from tests.replicas.waking import NOTIFIED, at_two, however_woken

Pair = tuple[Cluster, Cluster]


@however_woken("redis-cluster", NOTIFIED)
def test_any_request_may_hit_any_replica(replicas: Pair) -> None:
    """Created on one, run by a worker of the other, watched on both, resumed where the other left off."""
    one, two = replicas
    one.server()
    two.server()
    two.worker()
    gate = two.fifo("gate")
    task = one.submit(f"echo begun; read go < {gate}; seq 20")
    begun = next(event for event in task.events() if event.text)
    gate.write_text("go\n")
    rest = [event.text for event in two.client.tasks.handle(task.id).events(since=begun.cursor)]
    assert "".join(rest).split() == [*map(str, range(1, 21))]
    assert task.result().split() == ["begun", *map(str, range(1, 21))]
    ours, theirs = (
        [event.cursor for event in each.tasks.handle(task.id).events()] for each in (one.client, two.client)
    )
    assert ours == theirs


@however_woken("postgresql", "redis")
def test_agents_and_their_messages_are_known_everywhere(replicas: Pair) -> None:
    """Registered and written to at one, discovered and read at the other, where who watches sees it happen."""
    one, two = replicas
    one.server()
    two.server()
    with monitor(two) as lines:
        one.client.agents.register("reviewer", description="reads")
        assert any('"agent_id":"reviewer"' in line for line in lines)
        assert [agent.name for agent in two.client.agents.list()] == ["reviewer"]
        one.client.messages.send("reviewer", "please look")
        assert any("please look" in line for line in lines)
        assert [message.body for message in two.client.messages.receive("reviewer")] == ["please look"]


@contextmanager
def monitor(cluster: Cluster) -> Iterator[Iterator[str]]:
    """The lines of a replica's monitor, from now on."""
    asked = urllib.request.Request(f"{cluster.url}/v1/monitor/stream", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
        lines = (line.decode() for line in answer)
        assert "connected" in next(lines)
        yield lines


@however_woken("redis-cluster", "postgresql")
def test_a_question_is_answered_at_another_replica(replicas: Pair) -> None:
    """And whoever waits for the answer hears it."""
    one, two = replicas
    one.server()
    two.server()
    task = one.client.tasks.run("Ask", agent="asker")
    words = one.client.worker
    lease = words.claim("w", task.id, "k" * 16).lease
    asked = words.ask("w", task.id, lease.token, "May I?", key="q" * 16)
    (open_one,) = two.client.approvals.list(task=task.id)
    two.client.approvals.answer(open_one.id, text="yes")
    assert one.client.worker.wait_for(asked.id).text == "yes"
    assert task.refresh().status is TaskState.RUNNING


@at_two("postgresql")
def test_a_killed_replica_takes_nothing_with_it(replicas: Pair) -> None:
    """Its worker finishes when it is back, or tells another; watchers of the other see everything once."""
    one, two = replicas
    patient = {"CODETETHER_LEASE_TTL": "60s"}  # a start may take longer than a short lease
    server = one.server(**patient)
    two.server(**patient)
    worker = one.worker(CODETETHER_WORKER_SLOTS="4")
    gate = one.fifo("gate")
    printing = "i=0; while [ ! -e {stop} ]; do i=$((i+1)); echo {name} $i; sleep 0.01; done"
    stop = one.directory / "stop"
    running = [one.client.tasks.run(printing.format(stop=stop, name=name), agent="sh") for name in ("a", "b", "c")]
    waiting = one.submit(f"echo begun; read go < {gate}; echo done")
    one.until_said(waiting, "begun")
    for task in running:
        one.until_said(task, " 20\n")
    watched = two.client.tasks.handle(running[0].id).events()
    seen = list(islice(watched, 5))
    assert sum(task.refresh().status is TaskState.RUNNING for task in running) == 3
    server.kill()
    late = two.client.tasks.run("echo from the other side", agent="sh")
    until(lambda: "server_does_not_answer" in worker.said, "an output that nobody acknowledged")
    one.server(**patient)
    stop.write_text("")
    gate.write_text("go\n")
    seen += list(watched)
    for task in (*running, waiting, late):
        view = two.until_state(two.client.tasks.handle(task.id), TaskState.COMPLETED, TaskState.FAILED)
        assert (view.status, view.attempt, view.attempts_charged) == (TaskState.COMPLETED, 1, 0)
    for task in running:
        lines = two.text(two.client.tasks.handle(task.id)).splitlines()
        assert [int(line.split()[1]) for line in lines] == [*range(1, len(lines) + 1)]
    numbers = [event.data["sequence"] for event in seen if "sequence" in event.data]
    assert numbers == sorted(set(numbers))
    assert "".join(event.text for event in seen) == two.text(running[0])


@at_two("redis-cluster")
def test_everything_survives_the_restart_of_all_replicas(replicas: Pair) -> None:
    """Agents, workers, inboxes, history, open questions, and the keys of submissions."""
    one, two = replicas
    first, second = one.server(), two.server()
    one.client.agents.register("reviewer")
    one.client.messages.send("reviewer", "hello")
    asked = NewTask("Ask", agent="asker")
    task = one.client.tasks.submit(asked)
    words = one.client.worker
    words.register("w", "left", agents=["asker"])
    lease = words.claim("w", task.id, "k" * 16).lease
    question = words.ask("w", task.id, lease.token, "May I?", held=False, key="q" * 16)
    events = [event.raw for event in islice(one.client.tasks.handle(task.id).events(), 3)]
    first.kill()
    second.kill()
    two.server()
    client = two.client
    assert [agent.name for agent in client.agents.list()] == ["reviewer"]
    assert [message.body for message in client.messages.receive("reviewer")] == ["hello"]
    assert [worker.name for worker in client.workers.list()] == ["left"]
    assert [each.id for each in client.approvals.list()] == [question.id]
    assert client.tasks.submit(asked).id == task.id
    assert [event.raw for event in islice(client.tasks.handle(task.id).events(), 3)] == events
    assert client.approvals.answer(question.id, text="yes").status is ApprovalState.ANSWERED
    assert client.tasks.get(task.id).status is TaskState.PENDING


@at_two("redis")
def test_the_reaper_of_any_replica_notices_a_dead_worker(replicas: Pair) -> None:
    """Also that of one that never heard of it."""
    one, two = replicas
    server = one.server(CODETETHER_REAPER_INTERVAL="1h")
    two.server()
    worker = one.worker()
    gate = one.fifo("gate")
    task = one.submit(f"echo begun; read go < {gate}; echo done")
    one.until_said(task, "begun")
    worker.kill()
    server.kill()
    view = two.until_state(two.client.tasks.handle(task.id), TaskState.PENDING)
    assert view.attempts_charged == 1
