"""What tools answer. Every member is there always, and ``null`` where there is nothing to say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from attrs import field, frozen

from codetether_core.tasks import TaskState

__all__ = [
    "AgentRow",
    "Agents",
    "Answered",
    "Cancelled",
    "Choice",
    "CodebaseDetails",
    "CodebaseRow",
    "Codebases",
    "Created",
    "MessageRow",
    "Messages",
    "Output",
    "Question",
    "Registered",
    "Sent",
    "SessionRow",
    "Sessions",
    "Status",
    "TaskDetails",
    "TaskRow",
    "Tasks",
    "Waited",
]


def _told(description: str) -> Any:
    return field(metadata={"description": description})


_NEXT = "Give it as cursor to read on; null at the end."


@frozen(kw_only=True)
class CodebaseRow:
    codebase_id: str
    name: str
    path: str = _told("Where workers have it.")
    description: str
    status: Literal["running", "watching", "idle"]
    workers_online: int = _told("Workers that are there and serve it: without any, tasks wait.")
    running_tasks: int


@frozen(kw_only=True)
class Codebases:
    items: tuple[CodebaseRow, ...]
    next_cursor: str | None = _told(_NEXT)


@frozen(kw_only=True)
class CodebaseDetails:
    codebase_id: str
    name: str
    path: str
    description: str
    status: Literal["running", "watching", "idle"]
    workers_online: int
    running_tasks: int
    agent_types: tuple[str, ...] = _told("Types of agents that workers who are there offer for it.")
    models: tuple[str, ...] = _told("Models that they offer.")
    last_activity_at: datetime


@frozen(kw_only=True)
class Registered:
    codebase_id: str
    created: bool = _told("False if it was registered already.")


@frozen(kw_only=True)
class Created:
    task_id: str
    codebase_id: str
    status: TaskState
    status_message: str
    poll_after_ms: int = _told("Do not ask for it sooner; wait_task waits for you.")


@frozen(kw_only=True)
class Choice:
    id: str
    label: str


@frozen(kw_only=True)
class Question:
    """What the agent asks, to be answered with answer_task."""

    approval_id: str
    kind: str
    prompt: str
    choices: tuple[Choice, ...] = _told("Answer with the id of one; with words if there are none.")
    deadline: datetime


@frozen(kw_only=True)
class TaskRow:
    task_id: str
    codebase_id: str
    title: str
    agent_type: str
    status: TaskState
    status_message: str
    created_at: datetime
    updated_at: datetime


@frozen(kw_only=True)
class Tasks:
    items: tuple[TaskRow, ...]
    next_cursor: str | None = _told(_NEXT)


@frozen(kw_only=True)
class TaskDetails:
    task_id: str
    codebase_id: str
    title: str
    agent_type: str
    status: TaskState
    status_message: str
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    worker_id: str | None
    session_id: str | None = _told("Give it to create_task to go on where this one left off.")
    prompt: str | None = _told("What was asked for; null unless detail is full.")
    result: str | None
    error: str | None
    truncated: bool = _told("Whether a text was cut short; the resource has all of it.")
    questions: tuple[Question, ...]
    poll_after_ms: int | None = _told("When to ask again; null once it has ended.")


@frozen(kw_only=True)
class Waited:
    """The task as it is now."""

    task: TaskDetails
    timed_out: bool = _told("Whether it goes on: call wait_task again.")
    unanswered: tuple[str, ...] = _told("Questions put to your user in this call, who left them open; by approval_id.")


@frozen(kw_only=True)
class Output:
    task_id: str
    text: str
    truncated: bool = _told("Whether there is more before (tail) or behind.")
    next_cursor: str | None = _told("Give it as cursor to read on; null if there is no more by now.")
    done: bool = _told("Whether the task has ended, so that nothing more will come.")


@frozen(kw_only=True)
class Answered:
    task: TaskRow
    approval_id: str
    choice: str | None
    text: str | None


@frozen(kw_only=True)
class Cancelled:
    task_id: str
    status: TaskState
    stopped: bool = _told("Whether it is certain that nothing runs any more.")


@frozen(kw_only=True)
class SessionRow:
    session_id: str
    codebase_id: str
    title: str
    agent_type: str | None
    updated_at: datetime


@frozen(kw_only=True)
class Sessions:
    items: tuple[SessionRow, ...]
    next_cursor: str | None = _told(_NEXT)


@frozen(kw_only=True)
class MessageRow:
    role: str
    text: str
    at: datetime
    tool_calls: tuple[str, ...] = _told("Names of the tools that were used.")


@frozen(kw_only=True)
class Messages:
    session_id: str
    codebase_id: str
    items: tuple[MessageRow, ...] = _told("Oldest first.")
    next_cursor: str | None = _told("Give it as cursor to read the messages before these; null if there are none.")


@frozen(kw_only=True)
class AgentRow:
    name: str
    kind: Literal["agent", "worker"]
    description: str
    skills: tuple[str, ...]
    online: bool
    last_seen_at: datetime


@frozen(kw_only=True)
class Agents:
    items: tuple[AgentRow, ...]
    next_cursor: str | None = _told(_NEXT)


@frozen(kw_only=True)
class Sent:
    kind: Literal["message"]
    message_id: str
    agent: str
    context_id: str | None


@frozen(kw_only=True)
class Status:
    """The installation, as the caller may see it."""

    version: str
    tasks: Mapping[str, int] = _told("How many there are in each state.")
    codebases: int
    workers_online: int
