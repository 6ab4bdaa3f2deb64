"""A worker that nobody can reach, and that does not know it."""

from __future__ import annotations

from codetether_core.tasks import TaskState
from tests.e2e.cluster import Cluster
from tests.e2e.line import line_to
from tests.e2e.programs import until


def test_a_worker_behind_a_cut_line_is_replaced_and_fenced(cluster: Cluster) -> None:
    """Both run for a while, as they must; one of them may speak, and no output is mixed."""
    cluster.server()
    gate = cluster.fifo("gate")
    with line_to(cluster.port) as line:
        lost = cluster.worker("first", CODETETHER_SERVER=line.url)
        task = cluster.client.tasks.run(f"echo begun; read go < {gate}; echo done", agent="sh")
        cluster.until_said(task, "begun")
        line.cut.set()
        assert cluster.until_state(task, TaskState.PENDING).attempts_charged == 1
        cluster.worker("second")
        until(lambda: len(cluster.output(task)) == 2, "the second attempt")
        line.heal()
        until(lambda: "run_superseded" in lost.said, "the end of the first run")
        gate.write_text("go\n")
        view = cluster.until_state(task, TaskState.COMPLETED, TaskState.FAILED)
    assert (view.status, view.attempt, view.attempts_charged) == (TaskState.COMPLETED, 2, 1)
    assert [(each["attempt"], each["output"]) for each in cluster.output(task)] == [
        (1, "begun\n"),
        (2, "begun\n"),
        (2, "done\n"),
    ]
