"""The backend itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import field, frozen

from codetether_adapters.protected.conversations import ProtectedInbox, ProtectedSessions
from codetether_adapters.protected.log import ProtectedLog
from codetether_adapters.protected.passage import Passage
from codetether_adapters.protected.records import ProtectedCodebases, ProtectedRecords, ProtectedWebhooks
from codetether_adapters.protected.tasks import ProtectedApprovals, ProtectedTasks
from codetether_core.access import Account, Credential
from codetether_core.agents import Agent
from codetether_core.artifacts import Leftover
from codetether_core.ports import AuditLog, Backend, Notifier
from codetether_core.secrets import DataKey, Secret
from codetether_core.tool_servers import ToolServer
from codetether_core.workers import Worker

__all__ = ["ProtectedBackend"]


@frozen
class _Directory:
    """The two registries (a ``Directory``)."""

    workers: ProtectedRecords[Worker]
    agents: ProtectedRecords[Agent]


@frozen(kw_only=True)
class ProtectedBackend:
    """The stores of another backend (a ``Backend``). Its audit trail has what it is given, and stays as it is."""

    tasks: ProtectedTasks
    approvals: ProtectedApprovals
    log: ProtectedLog
    codebases: ProtectedCodebases
    directory: _Directory
    sessions: ProtectedSessions
    inbox: ProtectedInbox
    credentials: ProtectedRecords[Credential]
    accounts: ProtectedRecords[Account]
    secrets: ProtectedRecords[Secret]
    data_keys: ProtectedRecords[DataKey]
    tool_servers: ProtectedRecords[ToolServer]
    webhooks: ProtectedWebhooks
    leftovers: ProtectedRecords[Leftover]
    _backend: Backend = field(alias="backend")

    @classmethod
    def over(cls, backend: Backend, passages: Sequence[Passage]) -> ProtectedBackend:
        """The same stores; what goes in passes the first one first."""
        ways, directory = (*passages,), backend.directory
        return cls(
            tasks=ProtectedTasks(backend.tasks, ways),
            approvals=ProtectedApprovals(backend.approvals, ways),
            log=ProtectedLog(backend.log, ways),
            codebases=ProtectedCodebases(store=backend.codebases, passages=ways, written=True),
            directory=_Directory(
                ProtectedRecords(store=directory.workers, passages=ways, written=True),
                ProtectedRecords(store=directory.agents, passages=ways, written=True),
            ),
            sessions=ProtectedSessions(backend.sessions, ways),
            inbox=ProtectedInbox(backend.inbox, ways),
            credentials=ProtectedRecords(store=backend.credentials, passages=ways, written=True),
            accounts=ProtectedRecords(store=backend.accounts, passages=ways, written=True),
            secrets=ProtectedRecords(store=backend.secrets, passages=ways),
            data_keys=ProtectedRecords(store=backend.data_keys, passages=ways),
            tool_servers=ProtectedRecords(store=backend.tool_servers, passages=ways, written=True),
            webhooks=ProtectedWebhooks(store=backend.webhooks, passages=ways),
            leftovers=ProtectedRecords(store=backend.leftovers, passages=ways),
            backend=backend,
        )

    @property
    def notifier(self) -> Notifier:
        return self._backend.notifier

    @property
    def audit(self) -> AuditLog:
        return self._backend.audit

    async def is_whole(self) -> bool:
        """As the backend has it."""
        return await self._backend.is_whole()

    async def set_whole(self, whole: bool) -> None:
        """As the backend does."""
        await self._backend.set_whole(whole)

    async def now(self) -> datetime:
        """As the backend has it."""
        return await self._backend.now()

    async def ping(self) -> None:
        """As the backend does."""
        await self._backend.ping()
