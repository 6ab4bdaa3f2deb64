"""The shapes of our answers, for the documentation: ``views`` makes them, a test holds the two together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from codetether_core.approvals import ApprovalKind, ApprovalState, Option
from codetether_core.tasks import TaskState

__all__ = [
    "Accepted",
    "Approval",
    "ApprovalAnswer",
    "Approvals",
    "Claimed",
    "Codebase",
    "CodebaseAnswer",
    "Done",
    "Lease",
    "Output",
    "Outputs",
    "Queued",
    "Renewed",
    "Reported",
    "Task",
    "TaskAnswer",
]


@frozen(kw_only=True)
class Task:
    """A task. ``worker_id`` and ``attempt`` are those of its last grant; ``awaiting`` has the ids of open approvals."""

    id: str
    codebase_id: str
    workspace_id: str
    title: str
    prompt: str
    description: str
    agent_type: str
    model: str | None
    model_ref: str | None
    status: TaskState
    priority: int
    worker_id: str | None
    target_agent_name: str | None
    target_worker_id: str | None
    required_capabilities: tuple[str, ...]
    result: str | None
    error: str | None
    reason: str | None
    session_id: str | None
    metadata: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    not_before: datetime | None
    attempt: int
    max_attempts: int
    attempts_charged: int
    retry_of: str | None
    created_by: str
    awaiting: tuple[str, ...]
    stopped: bool
    reviewed: bool
    version: int


@frozen(kw_only=True)
class Lease:
    """A lease; ``token`` goes with every word about its task."""

    token: str
    expires_at: datetime
    run_deadline: datetime
    ttl_seconds: float
    number: int


@frozen(kw_only=True)
class Approval:
    """A question of an agent's, and what came of it."""

    id: str
    task_id: str
    codebase_id: str
    workspace_id: str
    kind: ApprovalKind
    prompt: str
    options: tuple[Option, ...]
    details: Mapping[str, Any]
    status: ApprovalState
    created_at: datetime
    deadline: datetime
    held: bool
    choice: str | None
    text: str | None
    answered_by: str | None
    ended_at: datetime | None


@frozen(kw_only=True)
class Codebase:
    """A codebase. ``worker_id`` is a worker that is there, if any is; ``available`` says whether."""

    id: str
    codebase_id: str
    workspace_id: str
    name: str
    path: str
    description: str
    registered_at: datetime
    updated_at: datetime
    agent_config: Mapping[str, Any]
    last_triggered: datetime | None
    status: str
    opencode_port: int | None
    session_id: str | None
    watch_mode: bool
    watch_interval: int
    worker_id: str | None
    workers: tuple[str, ...]
    available: bool
    version: int


@frozen(kw_only=True)
class Output:
    """A piece of output. ``sequence`` counts the task's events, ``produced_at`` is the agent's own clock."""

    task_id: str
    codebase_id: str
    workspace_id: str
    worker_id: str
    attempt: int
    sequence: int
    stream: str
    output: str
    timestamp: datetime
    produced_at: datetime | None = None
    after_cancel: bool = False
    event: Mapping[str, Any] | None = None


@frozen(kw_only=True)
class Outputs:
    """A page of output; ``next`` is the ``since`` of the following one."""

    task_id: str
    outputs: tuple[Output, ...]
    total: int
    next: Any


@frozen(kw_only=True)
class Done:
    """It is done."""

    success: bool


@frozen(kw_only=True)
class Accepted:
    """So many pieces were taken."""

    success: bool
    accepted: int


@frozen(kw_only=True)
class TaskAnswer:
    """It is done, and this is the task now."""

    success: bool
    task: Task


@frozen(kw_only=True)
class Reported:
    """The task after the report, with the lease while one is in force."""

    success: bool
    task: Task
    lease: Lease | None = None


@frozen(kw_only=True)
class Claimed:
    """The task is the worker's."""

    success: bool
    task_id: str
    worker_id: str
    message: str
    lease: Lease
    task: Task


@frozen(kw_only=True)
class Renewed:
    """The lease goes on."""

    success: bool
    task_id: str
    lease: Lease
    lease_expires_at: datetime
    status: TaskState


@frozen(kw_only=True)
class ApprovalAnswer:
    """It is done, and this is the approval now."""

    success: bool
    approval: Approval


@frozen(kw_only=True)
class Approvals:
    """Approvals, newest first."""

    approvals: tuple[Approval, ...]


@frozen(kw_only=True)
class CodebaseAnswer:
    """It is registered; under ``workspaces`` it is there as ``workspace`` too."""

    success: bool
    id: str
    codebase: Codebase


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
