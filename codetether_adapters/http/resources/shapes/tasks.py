"""Tasks and their output, as answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from codetether_adapters.http.resources.shapes.artifacts import Artifact
from codetether_core.tasks import Refusal, TaskState, Trigger
from codetether_core.workers import Presence

__all__ = [
    "Explanation",
    "Moment",
    "OutputItem",
    "OutputPage",
    "Requeued",
    "Task",
    "TaskAnswer",
    "TaskCancelled",
    "TaskDetails",
    "TaskErased",
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
    context_id: str | None
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
class Delegation:
    """What a task is at the agent elsewhere that was given it; ``task`` is unknown until the agent has told us.

    Unless it was ``tried``, the agent has not heard of it.
    """

    agent: str
    message: str
    context: str
    task: str | None
    tried: bool


@frozen(kw_only=True)
class TaskDetails(Task):
    """A task with its history: the last of its attempts that are over, oldest first, and the files they left."""

    attempts: tuple[Attempt, ...]
    artifacts: tuple[Artifact, ...]
    delegation: Delegation | None


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
class TaskAnswer:
    """It is done, and this is the task now."""

    success: bool
    task: Task


@frozen(kw_only=True)
class TaskCancelled:
    """The task is cancelled."""

    success: bool
    message: str
    task: Task


@frozen(kw_only=True)
class TaskErased:
    """The task is gone."""

    success: bool
    message: str
    task_id: str


@frozen(kw_only=True)
class Requeued:
    """The task that waits now: the same one if it was running, else a new one."""

    success: bool
    task_id: str
    message: str
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
