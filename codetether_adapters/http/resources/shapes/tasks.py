"""Tasks, leases, output and approvals, as answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from codetether_core.approvals import ApprovalKind, ApprovalState, Option
from codetether_core.tasks import Refusal, TaskState, Trigger
from codetether_core.workers import Presence

__all__ = [
    "Accepted",
    "Approval",
    "ApprovalAnswer",
    "Approvals",
    "Artifact",
    "ArtifactAnswer",
    "Artifacts",
    "Asked",
    "Claimed",
    "Done",
    "Explanation",
    "Lease",
    "Moment",
    "OutputItem",
    "OutputPage",
    "Queued",
    "Reaper",
    "Recovered",
    "Released",
    "Renewed",
    "Reported",
    "Requeued",
    "StuckTasks",
    "Task",
    "TaskAnswer",
    "TaskCancelled",
    "TaskDetails",
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
class Attempt:
    """A lease that is over: whose it was, how it ended, and what its holder still had to say too late."""

    number: int
    worker_id: str
    granted_at: datetime
    ended_at: datetime
    ending: Trigger
    evidence: str | None


@frozen(kw_only=True)
class Artifact:
    """A file that a run left; ``attempt`` is the number of the lease under which it did."""

    name: str
    media_type: str
    size: int
    attempt: int
    created_at: datetime


@frozen(kw_only=True)
class ListedArtifact(Artifact):
    """A file, and where anybody may read it until ``url_expires_at``, if the store of files has such addresses."""

    url: str | None
    url_expires_at: datetime | None


@frozen(kw_only=True)
class Artifacts:
    """A task's files, in order of name."""

    task_id: str
    artifacts: tuple[ListedArtifact, ...]


@frozen(kw_only=True)
class ArtifactAnswer:
    """The file is kept."""

    success: bool
    artifact: Artifact


@frozen(kw_only=True)
class TaskDetails(Task):
    """A task with its history: the last of its attempts that are over, oldest first, and the files they left."""

    attempts: tuple[Attempt, ...]
    artifacts: tuple[Artifact, ...]


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
class OutputItem:
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
class OutputPage:
    """A page of output; ``next`` is the ``since`` of the following one."""

    task_id: str
    outputs: tuple[OutputItem, ...]
    total: int
    next: Any


@frozen(kw_only=True)
class Moment:
    """A moment."""

    moment: datetime


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
    """The task is the worker's; ``answers`` are those to questions that earlier runs of it parked."""

    success: bool
    task_id: str
    worker_id: str
    message: str
    lease: Lease
    task: Task
    answers: tuple[Approval, ...]


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
class TaskCancelled:
    """The task is cancelled."""

    success: bool
    message: str
    task: Task


@frozen(kw_only=True)
class Requeued:
    """The task that waits now: the same one if it was running, else a new one."""

    success: bool
    task_id: str
    message: str
    task: Task


@frozen(kw_only=True)
class Released:
    """How the task stands after its release."""

    success: bool
    task_id: str
    worker_id: str
    status: TaskState
    message: str


@frozen(kw_only=True)
class Asked:
    """The question was put; the task waits for the answer."""

    success: bool
    approval: Approval
    task: Task


@frozen(kw_only=True)
class Standing:
    """What keeps a task from a worker: nothing, if ``refusals`` is empty, a slot is free and nobody ``in_the_way``."""

    worker_id: str
    name: str
    presence: Presence
    refusals: tuple[Refusal, ...]
    busy: int
    slots: int
    in_the_way: tuple[str, ...]


@frozen(kw_only=True)
class Explanation:
    """What a task waits for, in words, and how every worker stands to it."""

    task: Task
    waiting_for: str
    workers: tuple[Standing, ...]


@frozen(kw_only=True)
class StuckTasks:
    """Running tasks of which nothing was heard for that long."""

    timeout_seconds: float
    count: int
    tasks: tuple[Task, ...]


@frozen(kw_only=True)
class Sweep:
    """What the reaper did."""

    checked_at: datetime | None
    tasks_checked: int
    tasks_requeued: int
    tasks_failed: int
    tasks_notified: int
    errors: tuple[str, ...]


@frozen(kw_only=True)
class Recovered:
    """The reaper has looked."""

    success: bool
    stats: Sweep


@frozen(kw_only=True)
class Reaper:
    """``status`` is ``healthy`` or ``stopped``; ``stuck_timeout_seconds`` is the time to live of a lease."""

    status: str
    running: bool
    stuck_timeout_seconds: float
    interval_seconds: float
    max_attempts: int
    last_run: datetime | None
