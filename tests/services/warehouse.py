"""Services over memory with blobs, whose clock and whose blobs' clock are told the time, each by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from attrs import evolve, frozen

from codetether_adapters.audited import Acting, AuditedBackend
from codetether_adapters.memory import MemoryBlobs, open_backend
from codetether_adapters.signing import Ed25519
from codetether_core.access import Principal
from codetether_core.artifacts import BlobId
from codetether_core.audit import Actor, Outcome
from codetether_core.ids import TenantId, WorkerId
from codetether_core.ports import Backend, BlobStore, TaskQuery
from codetether_core.services import AsKept, Notes, Services, assemble
from codetether_core.tasks import GLOBAL, Task, TaskSpec, Word
from tests.services.conftest import Dice, FakeClock

__all__ = ["DAY", "A", "B", "Warehouse", "open_warehouse", "services_over"]

A, B = TenantId("acme"), TenantId("bolt")
DAY = timedelta(days=1)
_SIGNER = Ed25519(b"k" * 32, b"audit trail")


def services_over(backend: Backend, blobs: BlobStore, clock: FakeClock, *, kept: AsKept | None = None) -> Services:
    """Those of one replica; all that is a day old is filed away."""
    return assemble(
        AuditedBackend.over(backend, Notes(clock, Dice()).of, Acting()),
        clock,
        Dice(),
        blobs=blobs,
        kept=kept,
        signer=_SIGNER,
        retention=DAY,
        audit_retention=DAY,
    )


@frozen
class Warehouse:
    """One replica of a store."""

    backend: Backend
    services: Services
    blobs: BlobStore
    clock: FakeClock
    theirs: FakeClock
    """The clock of the blobs."""

    def wait(self, span: timedelta) -> None:
        """Let time pass for all."""
        self.clock.at += span
        self.theirs.at += span

    async def running(self, tenant: TenantId = A) -> tuple[Task, Word]:
        """A task that somebody holds."""
        who, worker = Principal(name="bot", tenant=tenant, roles=frozenset({"admin"})), WorkerId("w")
        spec = TaskSpec(codebase=GLOBAL, title="t", prompt="p", run_timeout=1000 * DAY)
        task = await self.services.submission.submit(who, spec)
        task = await self.services.claiming.claim(who, worker, task.id, tokened=True)
        assert task.grant is not None
        return task, Word(worker=worker, principal=who.name, token=task.grant.token)

    async def kept(self, tenant: TenantId = A) -> set[BlobId]:
        """The blobs that are there."""
        return {blob.id for blob in await self.blobs.list(tenant)}

    async def named(self, tenant: TenantId = A) -> set[BlobId]:
        """The blobs of files that tasks name."""
        tasks = await self.backend.tasks.list(tenant, TaskQuery())
        return {artifact.blob for task in tasks for artifact in task.artifacts}

    async def record(self, count: int, tenant: TenantId = A) -> None:
        """So many records in the trail, sealed."""
        for number in range(count):
            reader = Actor(name=f"reader {number}")
            self.services.recording.count(tenant, reader, "tasks:read", "/v1/agent/tasks", Outcome.SUCCESS)
        await self.services.recording.flush()
        await self.services.sealing.seal()

    def beside(self) -> Warehouse:
        """Another replica of the same store."""
        return evolve(self, services=services_over(self.backend, self.blobs, self.clock))


@asynccontextmanager
async def open_warehouse() -> AsyncIterator[Warehouse]:
    """A new one, whose tasks are not lost for want of a renewal."""
    async with open_backend() as backend:
        clock, theirs = FakeClock(), FakeClock()
        blobs = MemoryBlobs(theirs.now)
        yield Warehouse(backend, services_over(backend, blobs, clock), blobs, clock, theirs)
