"""How long a task takes from its creation to a worker's stream."""

from __future__ import annotations

import json
import threading
import time

from tests.bench.servers import Server

__all__ = ["dispatch_latencies"]


def dispatch_latencies(server: Server, *, workers: int, tasks: int, rate: float) -> list[float]:
    """Seconds from sending each create to its offer's arrival, with so many connected workers and tasks a second."""
    arrived: dict[str, float] = {}
    everything = threading.Event()
    connected = threading.Barrier(workers + 1)
    control = server.connect()
    codebase = control.demand("POST", "/v1/agent/codebases", {"name": "bench", "path": "/srv/bench"})["codebase"]["id"]
    threads = [
        threading.Thread(
            target=_work, args=(server, f"bench-{n}", codebase, arrived, tasks, everything, connected), daemon=True
        )
        for n in range(workers)
    ]
    for thread in threads:
        thread.start()
    connected.wait(30)
    sent: dict[str, float] = {}
    begun = time.perf_counter()
    for number in range(tasks):
        time.sleep(max(0.0, begun + number / rate - time.perf_counter()))
        at = time.perf_counter()
        wanted = {"title": "bench", "prompt": "measure this", "agent_type": "echo"}
        sent[control.demand("POST", f"/v1/agent/codebases/{codebase}/tasks", wanted)["task"]["id"]] = at
    if not everything.wait(30):
        raise TimeoutError(f"only {len(arrived)} of {tasks} tasks were offered")
    return [arrived[id] - at for id, at in sent.items()]


def _work(
    server: Server,
    name: str,
    codebase: str,
    arrived: dict[str, float],
    tasks: int,
    everything: threading.Event,
    connected: threading.Barrier,
) -> None:
    """A worker: takes what it is offered and completes it at once."""
    words = server.connect()
    path = f"/v1/worker/tasks/stream?worker_id={name}&agent_name={name}"
    stream = server.connect().open_stream(path, X_Codebases=codebase, X_Worker_Events="cancel,drain")
    for line in stream.makefile("rb"):
        now = time.perf_counter()
        if line.startswith(b"event: connected"):
            connected.wait(30)
        if not line.startswith(b"data: ") or b'"prompt"' not in line:
            continue
        id = json.loads(line[6:])["id"]
        arrived.setdefault(id, now)
        status, claimed = words.request(
            "POST", "/v1/worker/tasks/claim", {"task_id": id, "lease": True}, X_Worker_ID=name
        )
        if status == 200:
            done = {"status": "completed", "result": "done", "worker_id": name}
            words.demand("PUT", f"/v1/agent/tasks/{id}/status", done, X_Lease_Token=claimed["lease"]["token"])
        if len(arrived) == tasks:
            everything.set()
