"""Where a copy is taken from: the store itself, or a server that has it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol

from attrs import frozen

from codetether_adapters.client import AsyncClient
from codetether_adapters.system import SystemClock, SystemEntropy
from codetether_apps.settings import Settings, client_tls, client_token
from codetether_apps.wiring.backends import open_backend
from codetether_apps.wiring.blobs import open_blobs
from codetether_apps.wiring.migrations import migrate
from codetether_apps.wiring.protection import protection_of
from codetether_core.access import DEFAULT_TENANT
from codetether_core.artifacts import BlobId
from codetether_core.errors import Unavailable
from codetether_core.ports import Backend, BlobStore
from codetether_core.services import Entry, Services, assemble

__all__ = ["Source", "open_source", "services_over"]


class Source(Protocol):
    """Something to copy; ``made_at`` is when the copy begins."""

    @property
    def made_at(self) -> datetime:
        """By the store's clock."""
        ...

    def entries(self) -> AsyncIterator[Entry]:
        """Everything but the bytes of blobs, whose entries name them."""
        ...

    def blob(self, id: BlobId) -> AsyncIterator[bytes]:
        """The bytes of one, all or an error."""
        ...


@asynccontextmanager
async def open_source(settings: Settings, *, online: bool) -> AsyncIterator[Source]:
    """The store of the settings or, ``online``, the server that they name."""
    if online:
        async with AsyncClient(
            settings.client.server, token=client_token(settings), tls=client_tls(settings)
        ) as client:
            yield _Server(client, await client.backups.begin())
        return
    await _check_there(settings)
    async with open_backend(settings) as backend, open_blobs(settings) as blobs:
        now = await backend.now()
        services = services_over(settings, backend, blobs, now)
        await services.restoring.check_whole()
        yield _Store(services, now)


def services_over(settings: Settings, backend: Backend, blobs: BlobStore | None, now: datetime) -> Services:
    """The services of a store that no server need have, for copying."""
    clock, entropy = SystemClock(now), SystemEntropy()
    protection = protection_of(settings, backend, blobs, clock, entropy)
    return assemble(
        protection.backend,
        clock,
        entropy,
        blobs=protection.blobs,
        kept=protection.kept,
        redaction=protection.redaction,
    )


async def _check_there(settings: Settings) -> None:
    """A store that is not there would be made, and an empty copy of it taken for a backup."""
    steps = await migrate(settings, check=True)
    if steps is not None and not steps.applied:
        raise Unavailable(
            "There is no store to copy where storage.store says",
            hint="name the one that the servers use: --store, CODETETHER_STORE, CODETETHER_DATA_DIR",
        )


@frozen
class _Store:
    services: Services
    made_at: datetime

    def entries(self) -> AsyncIterator[Entry]:
        return self.services.archiving.copy(DEFAULT_TENANT)

    async def blob(self, id: BlobId) -> AsyncIterator[bytes]:
        async with self.services.archiving.blobs.open(DEFAULT_TENANT, id) as chunks:
            async for chunk in chunks:
                yield chunk


@frozen
class _Server:
    client: AsyncClient
    made_at: datetime

    async def entries(self) -> AsyncIterator[Entry]:
        async for told in self.client.backups.entries():
            yield Entry(told["kind"], told["data"])

    def blob(self, id: BlobId) -> AsyncIterator[bytes]:
        return self.client.backups.blob(id)
