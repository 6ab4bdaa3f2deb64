"""A server whose PostgreSQL store has two logins: one does what concerns all tenants, the other one everything else."""

from __future__ import annotations

import pytest

from codetether_core.tasks import TaskState
from tests.e2e.cluster import Cluster
from tests.e2e.engines import KEPT, store_settings


@pytest.mark.parametrize("cluster", [KEPT], indirect=True)
def test_a_store_with_a_keeper(cluster: Cluster) -> None:
    """A worker that dies is noticed, a watcher misses nothing, and a copy is taken and put into another such store."""
    server = cluster.server()
    worker = cluster.worker()
    gate = cluster.fifo("gate")
    done = cluster.submit("seq 3")
    assert "".join(done.output()) == "1\n2\n3\n"
    running = cluster.submit(f"echo begun; read go < {gate}; echo done")
    cluster.until_said(running, "begun")
    worker.kill()
    assert cluster.until_state(running, TaskState.PENDING).attempts_charged == 1
    copy = str(cluster.directory / "copy")
    made = cluster.codetether("backup", copy)
    assert (made.returncode, made.stderr) == (0, "")
    server.kill()
    elsewhere = store_settings(KEPT)
    restored = cluster.codetether("restore", copy, **elsewhere)
    assert (restored.returncode, restored.stderr) == (0, "")
    cluster.server(**elsewhere)
    assert cluster.text(done).split() == ["1", "2", "3"]
    cluster.worker("second")
    gate.write_text("go\n")
    assert running.result() == "begun\ndone"
