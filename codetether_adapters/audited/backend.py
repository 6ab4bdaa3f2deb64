"""The backend itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeAlias

from attrs import field, frozen

from codetether_adapters.audited.acting import Acting
from codetether_adapters.audited.stores import (
    AuditedCodebases,
    AuditedInbox,
    AuditedRecords,
    AuditedSessions,
    AuditedTasks,
    AuditedWebhooks,
    Noting,
)
from codetether_core.access import Account, Credential
from codetether_core.agents import Agent
from codetether_core.artifacts import Leftover
from codetether_core.audit import Actor
from codetether_core.events import Event
from codetether_core.ports import ApprovalStore, AuditLog, Backend, EventLog, Notifier
from codetether_core.secrets import DataKey, Secret
from codetether_core.tool_servers import ToolServer
from codetether_core.workers import Worker

__all__ = ["AuditedBackend", "Note"]

Note: TypeAlias = Callable[[Sequence[Event], Actor], Sequence[Event]]
"""Makes the records of events that somebody brought about."""


@frozen
class _Directory:
    """The two registries (a ``Directory``)."""

    workers: AuditedRecords[Worker]
    agents: AuditedRecords[Agent]


@frozen(kw_only=True)
class AuditedBackend:
    """The stores of another backend (a ``Backend``); its log, whose output nobody needs a record of, as it is."""

    tasks: AuditedTasks
    codebases: AuditedCodebases
    directory: _Directory
    sessions: AuditedSessions
    inbox: AuditedInbox
    credentials: AuditedRecords[Credential]
    accounts: AuditedRecords[Account]
    secrets: AuditedRecords[Secret]
    data_keys: AuditedRecords[DataKey]
    tool_servers: AuditedRecords[ToolServer]
    webhooks: AuditedWebhooks
    leftovers: AuditedRecords[Leftover]
    _backend: Backend = field(alias="backend")

    @classmethod
    def over(cls, backend: Backend, note: Note, acting: Acting) -> AuditedBackend:
        """The same stores; who acts is asked when a write begins."""
        noting = _noting(note, acting)
        directory = backend.directory
        return cls(
            tasks=AuditedTasks(store=backend.tasks, noting=noting),
            codebases=AuditedCodebases(store=backend.codebases, noting=noting),
            directory=_Directory(
                AuditedRecords(store=directory.workers, noting=noting),
                AuditedRecords(store=directory.agents, noting=noting),
            ),
            sessions=AuditedSessions(store=backend.sessions, noting=noting),
            inbox=AuditedInbox(store=backend.inbox, noting=noting),
            credentials=AuditedRecords(store=backend.credentials, noting=noting),
            accounts=AuditedRecords(store=backend.accounts, noting=noting),
            secrets=AuditedRecords(store=backend.secrets, noting=noting),
            data_keys=AuditedRecords(store=backend.data_keys, noting=noting),
            tool_servers=AuditedRecords(store=backend.tool_servers, noting=noting),
            webhooks=AuditedWebhooks(store=backend.webhooks, noting=noting),
            leftovers=AuditedRecords(store=backend.leftovers, noting=noting),
            backend=backend,
        )

    @property
    def approvals(self) -> ApprovalStore:
        return self._backend.approvals

    @property
    def log(self) -> EventLog:
        return self._backend.log

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


def _noting(note: Note, acting: Acting) -> Noting:
    async def noting(events: Sequence[Event], write: Callable[[Sequence[Event]], Awaitable[None]]) -> None:
        await write([*events, *note(events, acting.actor)] if events else events)
        acting.did(len(events))

    return noting
