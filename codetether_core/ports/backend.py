"""A technology's whole set of stores, opened together."""

from __future__ import annotations

from typing import Protocol

from codetether_core.ports.approval_store import ApprovalStore
from codetether_core.ports.codebase_store import CodebaseStore
from codetether_core.ports.directory import Directory
from codetether_core.ports.event_log import EventLog
from codetether_core.ports.inbox import Inbox
from codetether_core.ports.notifier import Notifier
from codetether_core.ports.session_store import SessionStore
from codetether_core.ports.task_store import TaskStore

__all__ = ["Backend"]


class Backend(Protocol):
    """What ``open_backend(url)`` of an adapter yields. All parts share one log and one epoch."""

    @property
    def tasks(self) -> TaskStore: ...
    @property
    def approvals(self) -> ApprovalStore: ...
    @property
    def log(self) -> EventLog: ...
    @property
    def notifier(self) -> Notifier: ...
    @property
    def codebases(self) -> CodebaseStore: ...
    @property
    def directory(self) -> Directory: ...
    @property
    def sessions(self) -> SessionStore: ...
    @property
    def inbox(self) -> Inbox: ...

    async def ping(self) -> None:
        """Return if the store answers; ``Unavailable`` says what is wrong and what to do."""
        ...
