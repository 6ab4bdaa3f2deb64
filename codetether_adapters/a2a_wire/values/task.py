"""Tasks, as clients of the protocol see them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from attrs import frozen

from codetether_adapters.a2a_wire.values.message import Message
from codetether_adapters.a2a_wire.values.part import Part

__all__ = ["INTERRUPTED", "TERMINAL", "Artifact", "Task", "TaskList", "TaskState", "TaskStatus"]


class TaskState(StrEnum):
    """Where a task stands."""

    UNSPECIFIED = "unspecified"
    SUBMITTED = "submitted"
    WORKING = "working"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    INPUT_REQUIRED = "input_required"
    REJECTED = "rejected"
    AUTH_REQUIRED = "auth_required"


TERMINAL: Final = frozenset({TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELED, TaskState.REJECTED})
INTERRUPTED: Final = frozenset({TaskState.INPUT_REQUIRED, TaskState.AUTH_REQUIRED})


@frozen(kw_only=True)
class TaskStatus:
    """A state, since when, and what the agent says with it."""

    state: TaskState
    message: Message | None = None
    timestamp: datetime | None = None


@frozen(kw_only=True)
class Artifact:
    """Something that a task made."""

    artifact_id: str
    parts: tuple[Part, ...]
    name: str | None = None
    description: str | None = None
    metadata: Mapping[str, Any] | None = None
    extensions: tuple[str, ...] = ()


@frozen(kw_only=True)
class Task:
    """A task as a whole; ``None`` for artifacts or history that were not asked for."""

    id: str
    status: TaskStatus
    context_id: str | None = None
    artifacts: tuple[Artifact, ...] | None = None
    history: tuple[Message, ...] | None = None
    metadata: Mapping[str, Any] | None = None


@frozen(kw_only=True)
class TaskList:
    """A page of tasks, and how many there are in all; without a further page its token is empty."""

    tasks: tuple[Task, ...]
    next_page_token: str
    page_size: int
    total_size: int
