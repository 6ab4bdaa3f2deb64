"""A technology's whole set of stores, opened together."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from codetether_core.access import Account, Credential
from codetether_core.artifacts import Leftover
from codetether_core.ports.approval_store import ApprovalStore
from codetether_core.ports.audit_log import AuditLog
from codetether_core.ports.codebase_store import CodebaseStore
from codetether_core.ports.directory import Directory
from codetether_core.ports.event_log import EventLog
from codetether_core.ports.inbox import Inbox
from codetether_core.ports.notifier import Notifier
from codetether_core.ports.record_store import RecordStore
from codetether_core.ports.session_store import SessionStore
from codetether_core.ports.task_store import TaskStore
from codetether_core.ports.webhook_store import WebhookStore
from codetether_core.secrets import DataKey, Secret
from codetether_core.tool_servers import ToolServer

__all__ = ["Backend"]


class Backend(Protocol):
    """What ``open_backend(url)`` of an adapter yields. All parts share one log and one epoch."""

    @property
    def tasks(self) -> TaskStore:
        """Tasks, with their approvals."""
        ...

    @property
    def approvals(self) -> ApprovalStore:
        """Approvals, for reading."""
        ...

    @property
    def log(self) -> EventLog:
        """The one log."""
        ...

    @property
    def notifier(self) -> Notifier:
        """Wake-ups about it."""
        ...

    @property
    def codebases(self) -> CodebaseStore:
        """Codebases."""
        ...

    @property
    def directory(self) -> Directory:
        """Workers and agents."""
        ...

    @property
    def sessions(self) -> SessionStore:
        """Sessions and their messages."""
        ...

    @property
    def inbox(self) -> Inbox:
        """Messages between agents."""
        ...

    @property
    def credentials(self) -> RecordStore[Credential]:
        """What callers are recognized by."""
        ...

    @property
    def accounts(self) -> RecordStore[Account]:
        """Who may sign in with a password."""
        ...

    @property
    def secrets(self) -> RecordStore[Secret]:
        """What tenants registered to be handed to runs, and to be kept from everybody's eyes."""
        ...

    @property
    def data_keys(self) -> RecordStore[DataKey]:
        """What values are encrypted under, encrypted itself."""
        ...

    @property
    def tool_servers(self) -> RecordStore[ToolServer]:
        """Servers elsewhere whose tools runs may use."""
        ...

    @property
    def webhooks(self) -> WebhookStore:
        """Who is told of tasks elsewhere."""
        ...

    @property
    def leftovers(self) -> RecordStore[Leftover]:
        """Blobs of what is erased, which are to go."""
        ...

    @property
    def audit(self) -> AuditLog:
        """The audit trail, which the writes of all the others may add to."""
        ...

    async def is_whole(self) -> bool:
        """Whether the store has all that it should: not between a copy's first piece and its last. ``Unavailable``."""
        ...

    async def set_whole(self, whole: bool) -> None:
        """Note that a copy is being put into the store, or that all of it is there; kept as every write is."""
        ...

    async def now(self) -> datetime:
        """The store's own time (UTC), which all who share it agree on; ``Unavailable``."""
        ...

    async def ping(self) -> None:
        """Return if the store answers; ``Unavailable`` says what is wrong and what to do."""
        ...
