"""An installation on a real store, whose trail is looked at and tampered with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from attrs import frozen

from codetether_adapters.audited import Acting, AuditedBackend
from codetether_adapters.filesystem import open_blobs
from codetether_adapters.signing import Ed25519
from codetether_adapters.system import SystemClock, SystemEntropy
from codetether_apps.cli.trail import Trail
from codetether_apps.settings import read_settings
from codetether_apps.wiring.backends import open_backend
from codetether_core.access import Principal
from codetether_core.artifacts import BlobId
from codetether_core.ids import CodebaseId
from codetether_core.services import Notes, Services, assemble
from codetether_core.services.log_lines import decompressed
from codetether_core.tasks import TaskSpec
from tests.http.resources.world import KEY, Quick

__all__ = ["ADMIN", "Walk", "installation", "lines", "submit", "unpacked", "walked"]

ADMIN: Final = Principal(name="root", roles=frozenset({"admin"}))


@asynccontextmanager
async def installation(
    environment: dict[str, str], directory: Path, *, retention: timedelta | None = None
) -> AsyncIterator[Services]:
    """The services over the store that these settings name."""
    async with AsyncExitStack() as stack:
        settings = read_settings(environment={"CODETETHER_DATA_DIR": str(directory), **environment})
        backend = await stack.enter_async_context(open_backend(settings))
        blobs = await stack.enter_async_context(open_blobs(f"file://{directory}/blobs"))
        clock, dice = SystemClock(await backend.now()), SystemEntropy()
        yield assemble(
            AuditedBackend.over(backend, Notes(clock, dice).of, Acting()),
            clock,
            dice,
            blobs=blobs,
            key=KEY,
            signer=Ed25519(KEY, b"audit trail"),
            passwords=Quick(),
            audit_retention=retention,
        )


async def submit(services: Services, count: int) -> None:
    """So many tasks, and a record of each."""
    for number in range(count):
        await services.submission.submit(
            ADMIN, TaskSpec(codebase=CodebaseId("global"), prompt="p", title=f"{number}", agent_type="echo")
        )


async def lines(services: Services) -> list[bytes]:
    """The whole trail."""
    return [line async for line in services.auditing.lines(ADMIN)]


async def unpacked(services: Services, blob: str) -> list[bytes]:
    """The lines that were filed away into a blob."""
    async with services.blobs.open(ADMIN.tenant, BlobId(blob)) as chunks:
        return [line + b"\n" async for line in decompressed(chunks)]


@frozen
class Walk:
    """What somebody finds who reads it all, and what is wrong with it."""

    trail: Trail
    flaws: list[str]

    @property
    def unsealed(self) -> int:
        return sum(chain.unsealed for chain in self.trail.chains)

    @property
    def filed(self) -> list[str]:
        return [filing.blob for chain in self.trail.chains for filing in chain.filed]


async def walked(services: Services, known: Mapping[str, Mapping[int, bytes]] | None = None) -> Walk:
    """By somebody who knows the key, and how far the store says that it goes."""
    trail = Trail(frozenset({services.sealing.signer.key}), known or {}, ADMIN.tenant)
    last = {chain.name: chain.last for chain in await services.backend.audit.chains(ADMIN.tenant)}
    trail.feed(await lines(services))
    return Walk(trail, [*trail.unreadable, *map(str, trail.finish(last))])
