"""From the store of the settings into a file, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

from codetether_adapters.system import SystemClock, SystemEntropy
from codetether_apps.backups.archive import Header, Manifest, new_archive, read, verified
from codetether_apps.settings import Settings
from codetether_apps.wiring.backends import open_backend
from codetether_core.access import DEFAULT_TENANT
from codetether_core.services import Entry, assemble

__all__ = ["backup", "restore"]


async def backup(settings: Settings, path: Path) -> Manifest:
    """Copy everything into a new file; what it has. The store may be in use by servers meanwhile."""
    async with open_backend(settings) as backend:
        now = await backend.now()
        services = assemble(backend, SystemClock(now), SystemEntropy())
        with new_archive(path, Header(made_at=now, release=version("codetether-hub"))) as archive:
            async for entry in services.archiving.copy(DEFAULT_TENANT):
                archive.add(entry)
            return archive.finish()


async def restore(settings: Settings, path: Path) -> Mapping[str, int]:
    """Put what the file has into an empty store; how many there are of each kind. Nothing of a damaged file."""
    verified(path)
    async with open_backend(settings) as backend:
        services = assemble(backend, SystemClock(await backend.now()), SystemEntropy())
        return await services.archiving.restore(DEFAULT_TENANT, _one_by_one(read(path)))


async def _one_by_one(entries: Iterable[Entry]) -> AsyncIterator[Entry]:
    for entry in entries:
        yield entry
