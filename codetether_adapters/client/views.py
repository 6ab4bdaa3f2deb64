"""What the server tells of its things, as frozen values; members that it may add later are ignored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import Factory, field, frozen

from codetether_core.access import ToolUse
from codetether_core.approvals import ApprovalKind, ApprovalState, Option
from codetether_core.ids import (
    AgentName,
    ApprovalId,
    CodebaseId,
    ContextId,
    MessageId,
    SessionId,
    TaskId,
    WorkerId,
)
from codetether_core.tasks import TERMINAL, TaskState
from codetether_core.workers import Presence

__all__ = [
    "AgentView",
    "ApprovalView",
    "ArtifactView",
    "AttemptView",
    "CodebaseView",
    "ExplanationView",
    "MessageView",
    "SessionMessageView",
    "SessionView",
    "TaskView",
    "WorkerFit",
    "WorkerView",
]


@frozen(kw_only=True)
class AttemptView:
    """A run that is over: whose it was, how it ended, and as ``evidence`` what its worker still said too late."""

    number: int = 0
    worker_id: WorkerId | None = None
    granted_at: datetime | None = None
    ended_at: datetime | None = None
    ending: str = ""
    evidence: str | None = None


@frozen(kw_only=True)
class ArtifactView:
    """A file that a run left. ``url`` reads it without us until ``url_expires_at``, where there is such a thing."""

    name: str
    media_type: str = "application/octet-stream"
    size: int = 0
    attempt: int = 0
    created_at: datetime | None = None
    url: str | None = None
    url_expires_at: datetime | None = None


@frozen(kw_only=True)
class TaskView:
    """A task. ``attempt`` numbers its last run, ``awaiting`` are the approvals it waits for, ``reason`` is a slug."""

    id: TaskId
    codebase_id: CodebaseId
    status: TaskState
    title: str = ""
    prompt: str = ""
    agent_type: str = "build"
    model: str | None = None
    priority: int = 0
    worker_id: WorkerId | None = None
    target_agent_name: AgentName | None = None
    target_worker_id: WorkerId | None = None
    required_capabilities: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = Factory(dict)
    session_id: SessionId | None = None
    result: str | None = None
    error: str | None = None
    reason: str | None = None
    created_by: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    not_before: datetime | None = None
    attempt: int | None = None
    max_attempts: int = 3
    attempts_charged: int = 0
    attempts: tuple[AttemptView, ...] = ()
    artifacts: tuple[ArtifactView, ...] = ()
    retry_of: TaskId | None = None
    context_id: ContextId | None = None
    awaiting: tuple[ApprovalId, ...] = ()
    stopped: bool = True
    reviewed: bool = False
    version: int = 0

    @property
    def ended(self) -> bool:
        """Completed, failed or cancelled, for good."""
        return self.status in TERMINAL


@frozen(kw_only=True)
class CodebaseView:
    """A codebase and the workers that have it."""

    id: CodebaseId
    name: str
    path: str
    description: str = ""
    status: str = ""
    registered_at: datetime | None = None
    last_triggered: datetime | None = None
    worker_id: WorkerId | None = None
    workers: tuple[WorkerId, ...] = ()
    available: bool = False
    agent_config: Mapping[str, Any] = Factory(dict)


@frozen(kw_only=True)
class ApprovalView:
    """A question of an agent's, without ``options`` for an answer in words; ``tool`` is what leave is wanted for."""

    id: ApprovalId
    task_id: TaskId
    codebase_id: CodebaseId
    kind: ApprovalKind
    prompt: str
    status: ApprovalState
    options: tuple[Option, ...] = ()
    details: Mapping[str, Any] = Factory(dict)
    tool: ToolUse | None = None
    asked_by_rule: str | None = None
    created_at: datetime | None = None
    deadline: datetime | None = None
    held: bool = True
    choice: str | None = None
    text: str | None = None
    answered_by: str | None = None
    ended_at: datetime | None = None

    @property
    def allowed(self) -> bool:
        """Answered, and not by a choice that refuses."""
        refused = {option.id for option in self.options if not option.allows}
        return self.status is ApprovalState.ANSWERED and self.choice not in refused


@frozen(kw_only=True)
class WorkerView:
    """A worker as it registered itself."""

    worker_id: WorkerId
    name: str = ""
    status: str = ""
    hostname: str = ""
    capabilities: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    codebases: tuple[CodebaseId, ...] = ()
    models: tuple[Mapping[str, Any], ...] = ()
    slots: int = 0
    registered_at: datetime | None = None
    last_seen: datetime | None = None


@frozen(kw_only=True)
class WorkerFit:
    """Why one worker does, or does not, get a task: no ``refusals`` and a free slot mean that it may."""

    worker_id: WorkerId
    name: str = ""
    presence: Presence = Presence.ACTIVE
    refusals: tuple[str, ...] = ()
    busy: int = 0
    slots: int = 0


@frozen(kw_only=True)
class ExplanationView:
    """What a task waits for, in a sentence and worker by worker."""

    task: TaskView
    waiting_for: str = ""
    workers: tuple[WorkerFit, ...] = ()


@frozen(kw_only=True)
class PeerView:
    """Where an agent elsewhere is, and how it is spoken to; ``signed`` says that its card had a good signature."""

    card_url: str
    release: str = ""
    streams: bool = False
    signed: bool = False
    secret: str | None = field(default=None, repr=False)
    read_at: datetime | None = None


@frozen(kw_only=True)
class AgentView:
    """An agent that can be written to; one elsewhere, that tasks can be given to, is a ``peer``."""

    name: AgentName
    url: str = ""
    description: str = ""
    capabilities: Mapping[str, Any] = Factory(dict)
    models_supported: tuple[str, ...] = ()
    peer: PeerView | None = None
    registered_at: datetime | None = None
    last_seen: datetime | None = None


@frozen(kw_only=True)
class MessageView:
    """A message between agents."""

    id: MessageId
    body: str = ""
    sender: str = ""
    recipient: AgentName | None = None
    conversation_id: str | None = None
    metadata: Mapping[str, Any] = Factory(dict)
    type: str = "agent"
    status: str = ""
    sent_at: datetime | None = None


@frozen(kw_only=True)
class SessionView:
    """A conversation with an agent, as its worker last told it."""

    id: SessionId
    title: str = ""
    directory: str = ""
    agent: str | None = None
    worker_id: WorkerId | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@frozen(kw_only=True)
class SessionMessageView:
    """One turn of a conversation; ``parts`` are the agent's own objects."""

    id: str
    role: str = ""
    agent: str | None = None
    model: str | None = None
    cost: float | None = None
    parts: tuple[Any, ...] = ()
    created_at: datetime | None = None

    @property
    def text(self) -> str:
        """What its text parts say."""
        texts = (part for part in self.parts if isinstance(part, dict) and part.get("type") == "text")
        return "\n".join(str(part.get("text", "")) for part in texts)
