"""From a store into a file, and from a file into a store."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Collection, Mapping
from importlib.metadata import version
from pathlib import Path

from codetether_adapters.ciphers import DERIVED
from codetether_apps.backups.archive import ArchiveWriter, Blob, Header, Manifest, new_archive, read, verified
from codetether_apps.backups.lost import Lost
from codetether_apps.backups.sources import Source, open_source, services_over
from codetether_apps.settings import Settings
from codetether_apps.wiring.backends import open_backend
from codetether_apps.wiring.blobs import open_blobs
from codetether_core.access import DEFAULT_TENANT
from codetether_core.artifacts import CHUNK, BlobId
from codetether_core.errors import NotConfigured, NotFound
from codetether_core.ports import BlobStore
from codetether_core.services import Entry

__all__ = ["backup", "restore"]


async def backup(settings: Settings, path: Path, *, online: bool) -> Manifest:
    """Copy everything into a new file; what it has. The store may be in use by servers meanwhile.

    A blob that goes with what is erased meanwhile is left out; ``NotFound`` if another is missing.
    ``online`` asks a server for what it has, instead of the store.
    """
    async with open_source(settings, online=online) as source:
        with new_archive(path, Header(made_at=source.made_at, release=version("codetether-hub"))) as archive:
            lost = Lost()
            async for entry in source.entries():
                lost.see(entry)
                if entry.kind == "blob":
                    try:
                        await _copy(source, BlobId(entry.data["id"]), entry.data["size"], archive, path.parent)
                    except NotFound as error:
                        lost.add(error)
                        continue
                archive.add(entry)
            lost.check()
            return archive.finish()


async def restore(settings: Settings, path: Path) -> Mapping[str, int]:
    """Put what the file has into an empty store; how many there are of each kind. Nothing of a damaged file."""
    _, manifest = verified(path)
    async with open_backend(settings) as backend, open_blobs(settings) as blobs:
        if blobs is None and manifest.entries.get("blob"):
            raise NotConfigured("The backup has files, and there is no place for them", hint="set CODETETHER_BLOBS")
        services = services_over(settings, backend, blobs, await backend.now())
        _require_keys(manifest, services.data_keys.cipher.key_ids)
        return await services.restoring.restore(DEFAULT_TENANT, _put_in_place(path, services.restoring.blobs))


def _require_keys(manifest: Manifest, known: Collection[str]) -> None:
    """What cannot be read is not restored."""
    if missing := [key for key in manifest.keys if key not in known]:
        names = " and ".join(missing)
        setting = "CODETETHER_SECRET_KEY" if missing[0].startswith(DERIVED) else "CODETETHER_ENCRYPTION_KEYS"
        hint = f"set {setting} as where it was made; the file secret-key of a data directory is such a secret, too"
        raise NotConfigured(f"The backup is encrypted, and {names} is missing here", hint=hint, key=missing[0])


async def _copy(source: Source, id: BlobId, size: int, archive: ArchiveWriter, directory: Path) -> None:
    """By way of a file that is gone afterwards: a member's bytes have to be at hand when it is written."""
    with tempfile.TemporaryFile(dir=directory) as file:
        async for chunk in source.blob(id):
            file.write(chunk)
        file.seek(0)
        archive.blob(id, file, size)


async def _put_in_place(path: Path, blobs: BlobStore) -> AsyncIterator[Entry]:
    """The entries, each blob put where it belongs before the one that names it."""
    for each in read(path):
        if isinstance(each, Blob):
            await blobs.put(DEFAULT_TENANT, _chunks(each))
        else:
            yield each


async def _chunks(blob: Blob) -> AsyncIterator[bytes]:
    while chunk := blob.file.read(CHUNK):
        yield chunk
