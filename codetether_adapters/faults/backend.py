"""A backend whose task store and log fail, and whose clock may be wrong; its other stores do not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

from attrs import field, frozen

from codetether_adapters.faults.dice import Faults
from codetether_adapters.faults.log import FaultyLog
from codetether_adapters.faults.tasks import FaultyTasks
from codetether_core.access import Account, Credential
from codetether_core.artifacts import Leftover
from codetether_core.ports import (
    ApprovalStore,
    AuditLog,
    Backend,
    CodebaseStore,
    Directory,
    Inbox,
    Notifier,
    RecordStore,
    SessionStore,
    WebhookStore,
)
from codetether_core.secrets import DataKey, Secret
from codetether_core.tool_servers import ToolServer

__all__ = ["FaultyBackend", "faulty"]


@frozen(kw_only=True)
class FaultyBackend:
    """The stores of another backend, some of them behind faults (a ``Backend``)."""

    _backend: Backend = field(alias="backend")
    _faults: Faults = field(alias="faults")
    tasks: FaultyTasks
    log: FaultyLog

    @property
    def approvals(self) -> ApprovalStore:
        return self._backend.approvals

    @property
    def notifier(self) -> Notifier:
        return self._backend.notifier

    @property
    def codebases(self) -> CodebaseStore:
        return self._backend.codebases

    @property
    def directory(self) -> Directory:
        return self._backend.directory

    @property
    def sessions(self) -> SessionStore:
        return self._backend.sessions

    @property
    def inbox(self) -> Inbox:
        return self._backend.inbox

    @property
    def credentials(self) -> RecordStore[Credential]:
        return self._backend.credentials

    @property
    def accounts(self) -> RecordStore[Account]:
        return self._backend.accounts

    @property
    def secrets(self) -> RecordStore[Secret]:
        return self._backend.secrets

    @property
    def data_keys(self) -> RecordStore[DataKey]:
        return self._backend.data_keys

    @property
    def tool_servers(self) -> RecordStore[ToolServer]:
        return self._backend.tool_servers

    @property
    def webhooks(self) -> WebhookStore:
        return self._backend.webhooks

    @property
    def leftovers(self) -> RecordStore[Leftover]:
        return self._backend.leftovers

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
        """As the backend has it, but for the skew."""
        return await self._backend.now() + self._faults.skew

    async def ping(self) -> None:
        """As the backend does."""
        await self._backend.ping()


@asynccontextmanager
async def faulty(opening: AbstractAsyncContextManager[Backend], faults: Faults) -> AsyncIterator[Backend]:
    """A backend that is being opened, with faults in front of it."""
    async with opening as backend:
        tasks, log = FaultyTasks(backend.tasks, faults), FaultyLog(backend.log, faults)
        yield FaultyBackend(backend=backend, faults=faults, tasks=tasks, log=log)
