"""A backup that is taken while something is erased, of which the files go before they are copied."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest
from attrs import frozen

from codetether_adapters.memory import MemoryBlobs, open_backend
from codetether_adapters.system import SystemClock, SystemEntropy
from codetether_apps.backups import backup, restore
from codetether_apps.settings import Settings, read_settings
from codetether_apps.wiring.backends import open_backend as open_store
from codetether_core.access import SYSTEM
from codetether_core.artifacts import BlobId
from codetether_core.errors import NotFound
from codetether_core.ids import WorkerId
from codetether_core.ports import TaskQuery
from codetether_core.services import Entry, Services, assemble
from codetether_core.tasks import GLOBAL, TaskSpec, Word

pytestmark = pytest.mark.anyio


@frozen
class Losing:
    """A source of which the first task that left a file goes, or its file alone, when that file is asked for."""

    services: Services
    erases: bool
    made_at: datetime

    def entries(self) -> AsyncIterator[Entry]:
        return self.services.archiving.copy(SYSTEM.tenant)

    async def blob(self, id: BlobId) -> AsyncIterator[bytes]:
        blobs = self.services.blobs
        for task in await self.services.backend.tasks.list(SYSTEM.tenant, TaskQuery()):
            if task.spec.title == "goes" and id in {each.blob for each in task.artifacts}:
                if self.erases:
                    await self.services.erasing.task(SYSTEM, task.id)
                (kept,) = [each for each in await blobs.list(SYSTEM.tenant) if each.id == id]
                await blobs.drop(SYSTEM.tenant, kept)
        async with blobs.open(SYSTEM.tenant, id) as chunks:
            async for chunk in chunks:
                yield chunk


async def used(services: Services) -> None:
    """Two tasks that left a file each."""
    for title in ("goes", "stays"):
        task = await services.submission.submit(SYSTEM, TaskSpec(codebase=GLOBAL, title=title, prompt="p"))
        task = await services.claiming.claim(SYSTEM, WorkerId("w"), task.id, tokened=True)
        assert task.grant is not None
        word = Word(worker=WorkerId("w"), principal=SYSTEM.name, token=task.grant.token)
        await services.attaching.attach(SYSTEM.tenant, word, task.id, "a.txt", "", title.encode())
        await services.reporting.complete(SYSTEM.tenant, word, task.id, "done")


async def taken(settings: Settings, path: Path, monkeypatch: pytest.MonkeyPatch, *, erases: bool) -> None:
    """A backup of such a source."""
    async with open_backend() as backend:
        services = assemble(backend, SystemClock(), SystemEntropy(), blobs=MemoryBlobs())
        await used(services)

        @asynccontextmanager
        async def losing(settings: Settings, *, online: bool) -> AsyncIterator[Losing]:
            yield Losing(services, erases, await backend.now())

        monkeypatch.setattr(sys.modules[backup.__module__], "open_source", losing)
        await backup(settings, path, online=True)


async def test_what_is_erased_takes_its_files_along_and_the_backup_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read_settings(environment={"CODETETHER_DATA_DIR": str(tmp_path / "data")})
    await taken(settings, tmp_path / "copy", monkeypatch, erases=True)
    restored = await restore(settings, tmp_path / "copy")
    assert restored["blob"] == 1
    async with open_store(settings) as store:
        assert [task.spec.title for task in await store.tasks.list(SYSTEM.tenant, TaskQuery())] == ["stays"]


async def test_a_file_that_is_missing_for_no_such_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read_settings(environment={"CODETETHER_DATA_DIR": str(tmp_path / "data")})
    with pytest.raises(NotFound):
        await taken(settings, tmp_path / "copy", monkeypatch, erases=False)
    assert not (tmp_path / "copy").exists()
