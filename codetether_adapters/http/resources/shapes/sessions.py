"""Sessions and their messages, as answered: by the deployed names and ours."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attrs import frozen

__all__ = [
    "Ingested",
    "MessagesTold",
    "Resumed",
    "Session",
    "SessionErased",
    "SessionMessage",
    "SessionMessages",
    "SessionPage",
    "SessionsTold",
]


@frozen(kw_only=True)
class Session:
    """A session. ``messageCount``, ``summary`` and ``version`` are as its worker told them."""

    id: str
    codebase_id: str
    workspace_id: str
    title: str
    directory: str
    project_id: str | None
    agent: str | None
    worker_id: str | None
    source: str
    messageCount: int | None
    summary: Any
    version: str | None
    created: datetime
    updated: datetime
    created_at: datetime
    updated_at: datetime
    synced_at: datetime


@frozen(kw_only=True)
class SessionPage:
    """Sessions, the last updated first."""

    sessions: tuple[Session, ...]
    total: int
    limit: int
    offset: int
    hasMore: bool
    source: str
    synced_at: datetime | None


@frozen(kw_only=True)
class MessageTime:
    """When a message was made."""

    created: datetime


@frozen(kw_only=True)
class SessionMessage:
    """A message of a session; ``parts`` and ``tool_calls`` are as the agent made them."""

    id: str
    sessionID: str
    session_id: str
    role: str
    time: MessageTime
    created_at: datetime
    agent: str | None
    model: str | None
    cost: float | None
    tokens: Any
    tool_calls: tuple[Any, ...]
    parts: tuple[Any, ...]


@frozen(kw_only=True)
class SessionMessages:
    """Messages, oldest first; ``session_id`` is empty where the codebase has no session."""

    messages: tuple[SessionMessage, ...]
    session_id: str | None
    total: int
    limit: int
    offset: int
    source: str
    synced_at: datetime | None


@frozen(kw_only=True)
class SessionsTold:
    """So many sessions were kept."""

    success: bool
    sessions_count: int


@frozen(kw_only=True)
class MessagesTold:
    """So many messages were kept."""

    success: bool
    messages_count: int


@frozen(kw_only=True)
class Ingested:
    """A session and so many messages were kept."""

    success: bool
    session_id: str
    source: str
    messages_ingested: int


@frozen(kw_only=True)
class Resumed:
    """The session goes on as a task."""

    success: bool
    message: str
    task_id: str
    session_id: str
    active_session_id: str


@frozen(kw_only=True)
class SessionErased:
    """The session is gone, and so many tasks that ran in it."""

    success: bool
    message: str
    session_id: str
    tasks_erased: int
