"""Much output, and a disk that is full."""

from __future__ import annotations

import resource
from pathlib import Path

import psutil
import pytest

from codetether_core.tasks import TaskState
from tests.e2e.cluster import Cluster

MEGABYTE = 1024 * 1024


@pytest.mark.timeout(300)
def test_much_output_takes_little_memory(cluster: Cluster) -> None:
    """It passes through worker and server, which hold a bounded part of it, however much it is in all."""
    server = cluster.server()
    worker = cluster.worker()
    cluster.submit("seq 100000").result()  # what everybody needs anyway
    before = [_memory(program.process.pid) for program in (server, worker)]
    task = cluster.submit("yes 'all work and no play makes jack a dull boy' | head -c 67108864; echo end")
    assert task.result().endswith("end")
    after = [_memory(program.process.pid) for program in (server, worker)]
    assert max(end - start for start, end in zip(before, after, strict=True)) < 48 * MEGABYTE
    assert task.task.attempt == 1


def test_output_that_the_server_does_not_take_fails_the_run(cluster: Cluster) -> None:
    """What is accepted is whole: a success without its output would be none."""
    cluster.server(CODETETHER_BODY_LIMIT="4096")
    cluster.worker()
    task = cluster.submit("echo fine; head -c 10000 /dev/zero | tr '\\0' x; echo")
    view = cluster.until_state(task, TaskState.COMPLETED, TaskState.FAILED)
    assert (view.status, view.reason) == (TaskState.FAILED, "output_refused")
    assert "4096 bytes" in (view.error or "")


def test_a_disk_without_room_costs_one_sentence_and_no_outcome(cluster: Cluster) -> None:
    """The report cannot be kept on the worker, and reaches the server all the same."""
    cluster.server()
    worker = cluster.worker()
    resource.prlimit(worker.process.pid, resource.RLIMIT_FSIZE, (40 * 1024, 40 * 1024))
    task = cluster.submit("seq 1 20000")
    view = cluster.until_state(task, TaskState.COMPLETED, TaskState.FAILED)
    assert view.status is TaskState.COMPLETED
    assert (view.result or "").endswith("\n20000")
    assert worker.said.count("report_not_kept") == 1
    assert "free some space on that disk" in worker.said
    assert "Traceback" not in worker.said
    assert cluster.submit("echo small").result() == "small"


def _memory(pid: int) -> int:
    """The most that a process has had, where the system tells, else what it has."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return int(psutil.Process(pid).memory_info().rss)
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
