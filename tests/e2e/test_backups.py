"""A copy of an embedded store, taken from its server while everything goes on."""

from __future__ import annotations

from codetether_core.tasks import TaskState
from tests.e2e.cluster import Cluster


def test_a_copy_of_a_store_in_use_is_whole(cluster: Cluster) -> None:
    """What had ended is there with its output and files, what ran runs again, and the old holder is refused."""
    server = cluster.server()
    worker = cluster.worker()
    gate = cluster.fifo("gate")
    done = cluster.submit('seq 3; echo kept > "$CODETETHER_ARTIFACTS/a.txt"')
    done.wait()
    running = cluster.submit(f"echo begun; read go < {gate}; echo done")
    cluster.until_said(running, "begun")
    copy, data = cluster.directory / "copy", {"CODETETHER_DATA_DIR": str(cluster.directory / "server")}
    refused = cluster.codetether("backup", str(copy), **data)
    assert refused.returncode == 1 and "--online" in refused.stderr
    made = cluster.codetether("backup", str(copy), "--online")
    assert (made.returncode, made.stderr) == (0, "")
    assert "1 blob" in made.stdout
    assert running.refresh().status is TaskState.RUNNING
    worker.kill()
    server.kill()
    elsewhere = {"CODETETHER_DATA_DIR": str(cluster.directory / "elsewhere")}
    restored = cluster.codetether("restore", str(copy), **elsewhere)
    assert (restored.returncode, restored.stderr) == (0, "")
    cluster.server(**elsewhere)
    assert cluster.text(done).split() == ["1", "2", "3"]
    assert b"".join(done.read_artifact("a.txt")) == b"kept\n"
    assert running.refresh().status is TaskState.PENDING
    cluster.worker("second")
    gate.write_text("go\n")
    assert running.result() == "begun\ndone"
