"""Codebases, as answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

__all__ = ["Cancelled", "Codebase", "CodebaseAnswer", "Watch", "WatchStarted", "WatchStopped"]


@frozen(kw_only=True)
class Codebase:
    """A codebase. ``worker_id`` is a worker that is there, if any is; ``available`` says whether.

    In a list ``aliases`` are the names of other registrations of the same path, which are left out.
    """

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
    aliases: tuple[str, ...] = ()
    alias_ids: tuple[str, ...] = ()
    duplicate_count: int = 0


@frozen(kw_only=True)
class CodebaseAnswer:
    """It is registered; under ``workspaces`` it is there as ``workspace`` too."""

    success: bool
    id: str
    codebase: Codebase
    workspace: Codebase | None = None


@frozen(kw_only=True)
class Cancelled:
    """The ids of the tasks that were cancelled."""

    success: bool
    cancelled: tuple[str, ...]


@frozen(kw_only=True)
class WatchStarted:
    """The codebase is watched, every so many seconds."""

    success: bool
    message: str
    interval: int


@frozen(kw_only=True)
class WatchStopped:
    """The codebase is no longer watched."""

    success: bool
    message: str


@frozen(kw_only=True)
class Watch:
    """Whether a codebase is watched, and how much waits and runs there."""

    codebase_id: str
    workspace_id: str
    name: str
    watch_mode: bool
    status: str
    interval: int
    pending_tasks: int
    running_tasks: int
