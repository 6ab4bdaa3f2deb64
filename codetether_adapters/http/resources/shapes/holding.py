"""What a worker is answered about the tasks that it holds."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from codetether_adapters.http.resources.shapes.approvals import Approval
from codetether_adapters.http.resources.shapes.tasks import Task
from codetether_core.secrets import HandedSecret
from codetether_core.tasks import TaskState

__all__ = ["Accepted", "Claimed", "Done", "Lease", "Queued", "Released", "Renewed", "Reported"]


@frozen(kw_only=True)
class Lease:
    """A lease; ``token`` goes with every word about its task."""

    token: str
    expires_at: datetime
    run_deadline: datetime
    ttl_seconds: float
    number: int


@frozen(kw_only=True)
class Accepted:
    """So many pieces were taken."""

    success: bool
    accepted: int


@frozen(kw_only=True)
class Claimed:
    """The task is the worker's; ``answers`` are those to questions that earlier runs of it parked.

    ``secrets`` are those that the run needs, and below ``tools_path`` are tools that it may use (MCP, with the lease's
    token), for a worker that asked for a lease.
    """

    success: bool
    task_id: str
    worker_id: str
    message: str
    lease: Lease
    task: Task
    answers: tuple[Approval, ...]
    secrets: tuple[HandedSecret, ...]
    tools_path: str | None


@frozen(kw_only=True)
class Done:
    """It is done."""

    success: bool


@frozen(kw_only=True)
class Queued:
    """A task was queued; ``session_id`` is the session that it goes on with, after a trigger the task's id."""

    success: bool
    session_id: str | None
    task_id: str
    message: str
    codebase_id: str
    workspace_id: str
    agent: str
    error: str | None


@frozen(kw_only=True)
class Released:
    """How the task stands after its release."""

    success: bool
    task_id: str
    worker_id: str
    status: TaskState
    message: str


@frozen(kw_only=True)
class Renewed:
    """The lease goes on."""

    success: bool
    task_id: str
    lease: Lease
    lease_expires_at: datetime
    status: TaskState


@frozen(kw_only=True)
class Reported:
    """The task after the report, with the lease while one is in force."""

    success: bool
    task: Task
    lease: Lease | None = None
