"""Promises 1 and 2: what was accepted is kept whoever is killed, and one word counts."""

from __future__ import annotations

import signal
import time

from codetether_core.tasks import TaskState
from tests.e2e.cluster import Cluster
from tests.e2e.forms import told_on
from tests.e2e.programs import until


@told_on("sqlite", "postgresql", "redis", "redis-cluster")
def test_an_echo_task_goes_the_whole_way(cluster: Cluster) -> None:
    """From the client through server, store and worker and back."""
    cluster.server()
    cluster.worker()
    task = cluster.submit("good morning", agent="echo")
    assert task.result() == "good morning"
    assert task.task.attempt == 1
    assert task.task.attempts_charged == 0


@told_on("sqlite", "postgresql")
def test_a_killed_server_loses_no_output_and_doubles_none(cluster: Cluster) -> None:
    """The agent prints on while the server is dead; afterwards every line is there once, in order (promise 1)."""
    server = cluster.server(CODETETHER_LEASE_TTL="60s")  # a start may take longer than a short one
    cluster.worker()
    first, second = cluster.fifo("first-gate"), cluster.fifo("second-gate")
    task = cluster.submit(
        f"seq 1 300; read go < {first}; seq 301 3000; echo printed; read go < {second}; seq 3001 3100; echo end"
    )
    cluster.until_said(task, "\n300\n")
    first.write_text("go\n")  # it prints while the server dies
    server.kill()
    cluster.server(CODETETHER_LEASE_TTL="60s")
    cluster.until_said(task, "printed")
    second.write_text("go\n")
    view = cluster.until_state(task, TaskState.COMPLETED, TaskState.FAILED)
    assert view.status is TaskState.COMPLETED
    assert cluster.text(task).split() == [*map(str, range(1, 3001)), "printed", *map(str, range(3001, 3101)), "end"]
    assert (view.attempt, view.attempts_charged) == (1, 0)


@told_on("redis")
def test_an_outcome_is_kept_until_the_server_is_back(cluster: Cluster) -> None:
    """A run that ends while there is no server is reported once there is one, by the worker's next life even."""
    server = cluster.server()
    worker = cluster.worker()
    gate = cluster.fifo("gate")
    task = cluster.submit(f"echo begun; read go < {gate}; echo done")
    cluster.until_said(task, "begun")
    server.kill()
    gate.write_text("go\n")
    outbox = cluster.directory / "first" / "workers" / "first" / "outbox"
    until(lambda: list(outbox.glob("*.json")), "the report on disk")
    worker.kill()
    cluster.server(CODETETHER_LEASE_TTL="60s")
    cluster.worker()
    view = cluster.until_state(task, TaskState.COMPLETED)
    assert view.result == "begun\ndone"
    assert view.attempt == 1
    assert cluster.text(task) == "begun\ndone\n"  # the output that only the dead worker had, too
    until(lambda: not list(outbox.glob("*.json")), "the report's acknowledgement")


@told_on("redis-cluster")
def test_an_outcome_does_not_overtake_the_output_of_its_run(cluster: Cluster) -> None:
    """However long the server is away after the agent has ended; nobody else was granted the task meanwhile."""
    server = cluster.server()
    worker = cluster.worker()
    gate = cluster.fifo("gate")
    task = cluster.submit(f"echo begun; read go < {gate}; seq 500")
    cluster.until_said(task, "begun")
    server.kill()
    gate.write_text("go\n")
    until(lambda: "run_ended" in worker.said, "the agent's end")
    over = time.monotonic() + 4.0  # the lease, by the only clock there is
    until(lambda: time.monotonic() > over)
    cluster.server(CODETETHER_LEASE_TTL="60s", CODETETHER_REAPER_INTERVAL="1h")
    view = cluster.until_state(task, TaskState.COMPLETED, TaskState.FAILED)
    assert (view.status, view.attempt) == (TaskState.COMPLETED, 1)
    assert cluster.text(task).split() == ["begun", *map(str, range(1, 501))]


@told_on("sqlite")
def test_another_worker_takes_over_from_a_killed_one(cluster: Cluster) -> None:
    """Within ttl and reaper interval; both attempts' output is kept and told apart."""
    cluster.server()
    victim = cluster.worker("first")
    gate = cluster.fifo("gate")
    task = cluster.submit(f"echo begun; read go < {gate}; echo done")
    cluster.until_said(task, "begun")
    cluster.worker("second")
    victim.kill()
    until(lambda: len(cluster.output(task)) == 2, "the second attempt")
    gate.write_text("go\n")
    view = cluster.until_state(task, TaskState.COMPLETED)
    assert (view.attempt, view.attempts_charged) == (2, 1)
    said = [(each["attempt"], each["output"]) for each in cluster.output(task)]
    assert said == [(1, "begun\n"), (2, "begun\n"), (2, "done\n")]
    assert len({each["worker_id"] for each in cluster.output(task)}) == 2


@told_on("sqlite")
def test_a_paused_worker_is_honoured_if_nobody_else_was_granted(cluster: Cluster) -> None:
    """Its late renewal takes the lapsed task up again, and the charge is given back."""
    cluster.server()
    worker = cluster.worker()
    gate = cluster.fifo("gate")
    task = cluster.submit(f"echo begun; read go < {gate}; echo done")
    cluster.until_said(task, "begun")
    worker.signal(signal.SIGSTOP)
    lapsed = cluster.until_state(task, TaskState.PENDING)
    assert lapsed.attempts_charged == 1
    worker.signal(signal.SIGCONT)
    cluster.until_state(task, TaskState.RUNNING)
    gate.write_text("go\n")
    view = cluster.until_state(task, TaskState.COMPLETED)
    assert (view.attempt, view.attempts_charged) == (1, 0)


@told_on("postgresql")
def test_a_paused_worker_is_fenced_if_somebody_else_was_granted(cluster: Cluster) -> None:
    """Promise 2: two may run, one may speak; the superseded run is ended.

    Without a codebase, for the two have to be on one machine here: in its checkout the second would wait.
    """
    cluster.server()
    paused = cluster.worker("first")
    gate = cluster.fifo("gate")
    task = cluster.client.tasks.run(f"echo begun; read go < {gate}; echo done", agent="sh")
    cluster.until_said(task, "begun")
    paused.signal(signal.SIGSTOP)
    cluster.worker("second")
    until(lambda: len(cluster.output(task)) == 2, "the second attempt")
    paused.signal(signal.SIGCONT)
    until(lambda: "run_superseded" in paused.said, "the end of the first run")
    gate.write_text("go\n")
    view = cluster.until_state(task, TaskState.COMPLETED)
    assert view.attempt == 2
    assert [each["attempt"] for each in cluster.output(task)] == [1, 2, 2]
