"""Whole lives of tasks: the classic ten requests of a deployed worker, and our own worker's few."""

from __future__ import annotations

from collections.abc import Callable

from tests.bench.wire import Connection

__all__ = ["CLASSIC_REQUESTS", "classic_life", "create", "finish", "own_life", "register", "run_lives"]

CLASSIC_REQUESTS = 10
_LINES = 5
_LINE = "a line of output as an agent prints it, of a usual length for such a line of text"


def classic_life(connection: Connection, codebase: str, number: int) -> None:
    """Create, claim, running, five outputs one by one, completed, release: what a 1.4.3 worker does."""
    task = create(connection, codebase, number)
    worker = {"worker_id": "bench"}
    connection.demand("POST", "/v1/worker/tasks/claim", {"task_id": task}, X_Worker_ID="bench")
    connection.demand("PUT", f"/v1/agent/tasks/{task}/status", {"status": "running", **worker})
    for line in range(_LINES):
        connection.demand("POST", f"/v1/agent/tasks/{task}/output", {"output": f"{_LINE} {line}", **worker})
    done = {"status": "completed", "result": "done", **worker}
    connection.demand("PUT", f"/v1/agent/tasks/{task}/status", done)
    connection.demand("POST", "/v1/worker/tasks/release", {"task_id": task}, X_Worker_ID="bench")


def own_life(connection: Connection, codebase: str, number: int) -> None:
    """Create, claim with a lease, one batch of outputs, completed: our own worker and a run of some seconds."""
    task = create(connection, codebase, number)
    claimed = connection.demand("POST", "/v1/worker/tasks/claim", {"task_id": task, "lease": True}, X_Worker_ID="bench")
    finish(connection, task, "bench", claimed["lease"]["token"])


def run_lives(connection: Connection, life: Callable[[Connection, str, int], None], count: int) -> None:
    """Live ``count`` lives one after another in one codebase."""
    codebase = register(connection)
    for number in range(count):
        life(connection, codebase, number)


def register(connection: Connection) -> str:
    """The one codebase's id."""
    wanted = {"name": "bench", "path": "/srv/bench", "worker_id": "bench"}
    id: str = connection.demand("POST", "/v1/agent/codebases", wanted)["codebase"]["id"]
    return id


def create(connection: Connection, codebase: str, number: int) -> str:
    """A new task's id."""
    wanted = {"title": f"bench {number}", "prompt": "measure this", "agent_type": "echo"}
    answer = connection.demand("POST", f"/v1/agent/codebases/{codebase}/tasks", wanted)
    id: str = answer["task"]["id"]
    return id


def finish(connection: Connection, task: str, worker: str, token: str) -> None:
    """One batch of outputs, and completed."""
    outputs = [{"output": f"{_LINE} {line}"} for line in range(_LINES)]
    batch = {"worker_id": worker, "outputs": outputs, "first": 0}
    connection.demand("POST", f"/v1/agent/tasks/{task}/output", batch, X_Lease_Token=token)
    done = {"status": "completed", "result": "done", "worker_id": worker}
    connection.demand("PUT", f"/v1/agent/tasks/{task}/status", done, X_Lease_Token=token)
