"""Opening the memory stores."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from attrs import define, field

from codetether_adapters.memory.approvals import MemoryApprovals
from codetether_adapters.memory.audit import MemoryAudit
from codetether_adapters.memory.inbox import MemoryInbox
from codetether_adapters.memory.log import MemoryLog
from codetether_adapters.memory.records import MemoryCodebases, MemoryDirectory, MemoryRecords
from codetether_adapters.memory.sessions import MemorySessions
from codetether_adapters.memory.tasks import MemoryTasks
from codetether_adapters.memory.webhooks import MemoryWebhooks
from codetether_adapters.tail import LocalNotifier
from codetether_core.access import Account, Credential
from codetether_core.agents import Agent
from codetether_core.artifacts import Leftover
from codetether_core.errors import Invalid
from codetether_core.ids import TaskId
from codetether_core.ports import Backend
from codetether_core.secrets import DataKey, Secret
from codetether_core.tasks import Task
from codetether_core.tool_servers import ToolServer
from codetether_core.workers import Worker

__all__ = ["MemoryBackend", "open_backend"]


@define(kw_only=True, eq=False)
class MemoryBackend:
    """The stores of one memory (a ``Backend``)."""

    tasks: MemoryTasks
    approvals: MemoryApprovals
    log: MemoryLog
    notifier: LocalNotifier
    codebases: MemoryCodebases
    directory: MemoryDirectory
    sessions: MemorySessions
    inbox: MemoryInbox
    credentials: MemoryRecords[Credential]
    accounts: MemoryRecords[Account]
    secrets: MemoryRecords[Secret]
    data_keys: MemoryRecords[DataKey]
    tool_servers: MemoryRecords[ToolServer]
    webhooks: MemoryWebhooks
    leftovers: MemoryRecords[Leftover]
    audit: MemoryAudit
    _whole: bool = field(default=True, init=False)

    async def is_whole(self) -> bool:
        """As it was set; a new one is."""
        return self._whole

    async def set_whole(self, whole: bool) -> None:
        """Until the process ends."""
        self._whole = whole

    async def now(self) -> datetime:
        """This machine's."""
        return datetime.now(UTC)

    async def ping(self) -> None:
        """Memory always answers."""


@asynccontextmanager
async def open_backend(url: str = "memory://", *, strict: bool = False) -> AsyncIterator[Backend]:
    """New, empty stores; ``url`` has nothing to say, and ``strict`` is ``Invalid``."""
    if strict:
        raise Invalid(
            "strict_durability",
            "cannot be had of memory://, which keeps nothing",
            hint="name another store, such as sqlite:////var/lib/codetether.db",
        )
    notifier = LocalNotifier()
    tasks: dict[TaskId, Task] = {}
    epoch = secrets.token_hex(8)
    audit = MemoryAudit(epoch)
    log = MemoryLog(tasks, notifier, audit, epoch)
    approvals, webhooks = MemoryApprovals(), MemoryWebhooks(log)
    yield MemoryBackend(
        tasks=MemoryTasks(tasks, approvals, webhooks, log),
        approvals=approvals,
        log=log,
        notifier=notifier,
        codebases=MemoryCodebases(log),
        directory=MemoryDirectory(MemoryRecords[Worker]("worker", log), MemoryRecords[Agent]("agent", log)),
        sessions=MemorySessions(log),
        inbox=MemoryInbox(log),
        credentials=MemoryRecords[Credential]("credential", log),
        accounts=MemoryRecords[Account]("account", log),
        secrets=MemoryRecords[Secret]("secret", log),
        data_keys=MemoryRecords[DataKey]("data_key", log),
        tool_servers=MemoryRecords[ToolServer]("tool_server", log),
        webhooks=webhooks,
        leftovers=MemoryRecords[Leftover]("leftover", log),
        audit=audit,
    )
