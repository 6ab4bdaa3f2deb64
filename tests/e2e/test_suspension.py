"""A machine that sleeps: what stands still with it loses nothing."""

from __future__ import annotations

import signal
import time

from codetether_core.tasks import TaskState
from tests.e2e.cluster import Cluster
from tests.e2e.programs import until


def test_server_and_worker_that_were_stopped_together_go_on_as_if_nothing_had_been(cluster: Cluster) -> None:
    """SIGSTOP does not stop the clock, so the lease is over when they wake; its holder renews and is honoured.

    A machine that is suspended stops the monotonic clock too: see ``tests/apps/test_suspension.py``.
    """
    server = cluster.server(CODETETHER_LEASE_TTL="1s")
    worker = cluster.worker()
    gate = cluster.fifo("gate")
    task = cluster.submit(f"echo begun; read go < {gate}; echo done")
    cluster.until_said(task, "begun")
    worker.signal(signal.SIGSTOP)
    server.signal(signal.SIGSTOP)
    lapsed = time.monotonic() + 2.0  # nothing else can tell: nobody is there to ask
    until(lambda: time.monotonic() > lapsed)
    server.signal(signal.SIGCONT)
    worker.signal(signal.SIGCONT)
    renewed = task.refresh().updated_at
    until(lambda: (view := task.refresh()).status is TaskState.RUNNING and view.updated_at != renewed, "a renewal")
    gate.write_text("go\n")
    view = cluster.until_state(task, TaskState.COMPLETED, TaskState.FAILED)
    assert view.status is TaskState.COMPLETED
    assert (view.attempt, view.attempts_charged) == (1, 0)
    assert cluster.text(task) == "begun\ndone\n"
