"""What is stored, as answered to dashboards and to pages that ask for "the runtime"."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attrs import frozen

from codetether_adapters.http.resources.shapes.codebases import Codebase
from codetether_adapters.http.resources.shapes.sessions import Session
from codetether_adapters.http.resources.shapes.workers import Worker

__all__ = [
    "AgentStatus",
    "RuntimeMessages",
    "RuntimeParts",
    "RuntimeProjects",
    "RuntimeSession",
    "RuntimeSessionAnswer",
    "RuntimeSessions",
    "RuntimeStatus",
    "StoreStatus",
    "StoredCodebases",
    "StoredSessions",
    "StoredWorkers",
]


@frozen(kw_only=True)
class Stored:
    """How much the store holds."""

    workers: int
    codebases: int
    tasks: int
    sessions: int


@frozen(kw_only=True)
class StoreStatus:
    """Whether the store answers; nobody is told where it is."""

    available: bool
    message: str
    stats: Stored | None
    pool_size: int | None
    pool_idle: int | None


@frozen(kw_only=True)
class StoredPage:
    """A page of what the store holds."""

    total: int
    limit: int
    offset: int
    source: str


@frozen(kw_only=True)
class StoredSessions(StoredPage):
    """Sessions of all codebases, the last updated first."""

    sessions: tuple[Session, ...]


@frozen(kw_only=True)
class StoredCodebases(StoredPage):
    """Codebases, under both of their names."""

    codebases: tuple[Codebase, ...]
    workspaces: tuple[Codebase, ...]


@frozen(kw_only=True)
class StoredWorkers(StoredPage):
    """Workers, those long gone too."""

    workers: tuple[Worker, ...]


@frozen(kw_only=True)
class Runtime:
    """How much history there is."""

    available: bool
    storage_path: str | None
    projects: int
    sessions: int


@frozen(kw_only=True)
class RuntimeStatus(Runtime):
    """How much history there is, and where it is from."""

    message: str


@frozen(kw_only=True)
class AgentStatus:
    """Whether agents can run, and what there is."""

    available: bool
    message: str
    opencode_binary: str | None
    agent_binary: str | None
    registered_codebases: int
    registered_workspaces: int
    auto_start: bool
    runtime: Runtime


@frozen(kw_only=True)
class RuntimeProject:
    """A codebase that has sessions."""

    id: str
    worktree: str
    vcs: str | None
    vcs_dir: str | None
    created_at: datetime
    updated_at: datetime
    session_count: int


@frozen(kw_only=True)
class RuntimeProjects:
    """The codebases that have sessions."""

    projects: tuple[RuntimeProject, ...]


@frozen(kw_only=True)
class RuntimeSession:
    """A session, as the deployed pages of the runtime know it."""

    id: str
    project_id: str
    directory: str
    title: str
    version: str | None
    created_at: datetime
    updated_at: datetime
    summary: Any


@frozen(kw_only=True)
class RuntimeSessions:
    """Sessions, the last updated first."""

    sessions: tuple[RuntimeSession, ...]
    total: int
    limit: int
    offset: int


@frozen(kw_only=True)
class RuntimeSessionAnswer:
    """One session."""

    session: RuntimeSession


@frozen(kw_only=True)
class RuntimeMessage:
    """A message without its parts."""

    id: str
    session_id: str
    role: str
    created_at: datetime
    model: str | None
    cost: float | None
    tokens: Any
    tool_calls: tuple[Any, ...]


@frozen(kw_only=True)
class RuntimeMessages:
    """Messages of a session, oldest first."""

    messages: tuple[RuntimeMessage, ...]
    total: int
    limit: int
    offset: int
    session_id: str


@frozen(kw_only=True)
class RuntimeParts:
    """The parts of a session's messages, as the agent made them, each with its ``message_id``."""

    parts: tuple[Any, ...]
    session_id: str
    message_id: str | None
