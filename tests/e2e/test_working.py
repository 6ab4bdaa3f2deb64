"""What a worker takes on, and where."""

from __future__ import annotations

from codetether_core.tasks import TaskState
from tests.e2e.cluster import Cluster
from tests.e2e.programs import until


def test_one_run_per_checkout_although_there_are_slots(cluster: Cluster) -> None:
    """The second task waits for the checkout, not for a slot: a task elsewhere is run meanwhile."""
    cluster.server()
    cluster.worker(CODETETHER_WORKER_SLOTS="3")
    gate = cluster.fifo("gate")
    first = cluster.submit(f"echo begun; read go < {gate}; echo done")
    cluster.until_said(first, "begun")
    second = cluster.submit("echo mine")
    assert cluster.client.tasks.run("pwd", agent="sh").result()
    assert second.refresh().status is TaskState.PENDING
    gate.write_text("go\n")
    assert first.result() == "begun\ndone"
    assert second.result() == "mine"
    assert second.task.attempt == 1


def test_a_codebase_that_a_task_registers_is_served_at_once(cluster: Cluster) -> None:
    """``register_codebase`` offers one more of the worker's directories; nobody has to connect again."""
    cluster.server(CODETETHER_LEASE_TTL="60s")  # its quarter is a beat, which would be too late
    cluster.worker()
    place = cluster.directory / "another"
    place.mkdir()
    asked = cluster.client.tasks.run(
        "register", codebase="__pending__", agent="register_codebase", metadata={"name": "another", "path": str(place)}
    )
    assert "another" in asked.result()
    found = until(lambda: [each for each in cluster.client.codebases.list() if each.name == "another"])
    assert cluster.client.tasks.run("pwd", codebase=found[0].id, agent="sh").result() == str(place)
