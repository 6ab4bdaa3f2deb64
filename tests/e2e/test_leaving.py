"""Promise 6, and cancelling: leaving loses nothing, and what is cancelled is gone."""

from __future__ import annotations

import os
import signal
import urllib.request

import pytest

from codetether_core.tasks import TaskState
from tests.e2e.cluster import TOKEN, Cluster
from tests.e2e.forms import told_on
from tests.e2e.programs import until


@told_on("redis-cluster")
def test_a_worker_that_is_asked_to_leave_charges_no_attempt(cluster: Cluster) -> None:
    """What it cannot finish within the drain time is given back, and another worker has it at once."""
    cluster.server(CODETETHER_LEASE_TTL="60s")  # a lapse would come too late to explain what happens
    leaving = cluster.worker("first", CODETETHER_DRAIN="200ms")
    gate = cluster.fifo("gate")
    task = cluster.submit(f"echo begun; read go < {gate}; echo done")
    cluster.until_said(task, "begun")
    cluster.worker("second")
    leaving.signal(signal.SIGTERM)
    assert leaving.wait() == 0
    until(lambda: len(cluster.output(task)) == 2, "the second attempt")
    gate.write_text("go\n")
    view = cluster.until_state(task, TaskState.COMPLETED)
    assert (view.attempt, view.attempts_charged) == (2, 0)


@told_on("sqlite")
def test_a_worker_that_is_asked_to_leave_finishes_what_it_can(cluster: Cluster) -> None:
    """Within the drain time runs go on, and take no new company."""
    cluster.server()
    leaving = cluster.worker()
    gate = cluster.fifo("gate")
    task = cluster.submit(f"echo begun; read go < {gate}; echo done")
    cluster.until_said(task, "begun")
    leaving.signal(signal.SIGTERM)
    until(lambda: "draining" in leaving.said, "the drain")
    late = cluster.submit("too late", agent="echo")
    gate.write_text("go\n")
    assert cluster.until_state(task, TaskState.COMPLETED).attempt == 1
    assert leaving.wait() == 0
    assert late.refresh().status is TaskState.PENDING


@told_on("redis")
def test_a_cancel_ends_the_whole_tree_and_is_confirmed(cluster: Cluster) -> None:
    """Also what the agent left in the background, in a session of its own and deaf to SIGTERM."""
    cluster.server()
    cluster.worker()
    pids = cluster.directory / "pids"
    task = cluster.submit(
        f"echo $$ >> {pids}; (trap '' TERM; echo $$ >> {pids}; exec sleep 1000) & "
        f"setsid sh -c 'echo $$ >> {pids}; exec sleep 1000' & wait"
    )
    until(lambda: pids.exists() and len(pids.read_text().split()) == 3, "the agent's processes")
    task.cancel()
    until(lambda: task.refresh().stopped, "the confirmation")
    assert task.task.status is TaskState.CANCELLED
    assert not [pid for pid in pids.read_text().split() if _alive(int(pid))]


@told_on("postgresql")
def test_a_worker_that_hears_no_stream_learns_of_a_cancel_by_its_next_word(cluster: Cluster) -> None:
    """The notice is a courtesy; the refusal of a renewal is what counts."""
    server = cluster.server(CODETETHER_LEASE_TTL="15s")
    cluster.worker()
    task = cluster.submit("echo begun; exec sleep 1000")
    cluster.until_said(task, "begun")
    server.kill()
    cluster.server(CODETETHER_LEASE_TTL="60s")
    task.cancel()
    until(lambda: task.refresh().stopped, "the confirmation")
    assert task.task.status is TaskState.CANCELLED


@pytest.mark.parametrize("engine", ["hypercorn", "uvicorn"])
@told_on("sqlite")
def test_a_server_leaves_although_a_watcher_does_not(cluster: Cluster, engine: str) -> None:
    """Every stream is ended by us, cleanly, so that no client can hold the process up."""
    server = cluster.server(CODETETHER_ASGI=engine)
    cluster.worker()
    task = cluster.submit("good morning", agent="echo")
    assert task.result() == "good morning"
    codebase = cluster.client.codebases.list()[0]
    request = urllib.request.Request(
        f"{cluster.url}/v1/agent/codebases/{codebase.id}/events", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request) as stream:
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        stream.read()  # raises if the answer was cut off in the middle


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
