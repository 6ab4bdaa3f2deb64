"""A restore that was cut short leaves a store that nobody takes for a whole one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from codetether_adapters.memory import open_backend as open_memory
from codetether_adapters.system import SystemClock, SystemEntropy
from codetether_apps.settings import read_settings
from codetether_apps.wiring.backends import open_backend
from codetether_core.access import SYSTEM
from codetether_core.errors import Conflict, Unavailable
from codetether_core.ids import WorkerId
from codetether_core.ports import Backend, TaskQuery
from codetether_core.services import Entry, Services, assemble
from codetether_core.tasks import GLOBAL, TaskSpec, TaskState
from tests.backups.conftest import Run
from tests.e2e.engines import ENGINES, store_settings

pytestmark = pytest.mark.anyio


def services_of(backend: Backend) -> Services:
    """Those of the store."""
    return assemble(backend, SystemClock(), SystemEntropy())


async def copied() -> list[Entry]:
    """A store with a task that runs and one that waits."""
    async with open_memory() as backend:
        services = services_of(backend)
        for title in ("runs", "waits"):
            task = await services.submission.submit(SYSTEM, TaskSpec(codebase=GLOBAL, title=title, prompt="p"))
            if title == "runs":
                await services.claiming.claim(SYSTEM, WorkerId("w"), task.id, tokened=True)
        return [entry async for entry in services.archiving.copy(SYSTEM.tenant)]


async def handed(entries: list[Entry], *, cut: int | None = None) -> AsyncIterator[Entry]:
    """The first so many of them, and then nobody goes on."""
    for entry in entries[:cut]:
        yield entry
    if cut is not None:
        raise OSError("the tape broke")


@pytest.mark.parametrize("engine", ENGINES)
async def test_what_was_cut_short_is_neither_served_nor_copied_nor_taken_up(engine: str, tmp_path: Path) -> None:
    """The store remembers it; a grant of the old one counts in none that is whole."""
    settings = read_settings(environment={"CODETETHER_DATA_DIR": str(tmp_path), **store_settings(engine)})
    entries = await copied()
    async with open_backend(settings) as backend:
        with pytest.raises(OSError, match="tape"):
            await services_of(backend).restoring.restore(SYSTEM.tenant, handed(entries, cut=len(entries) - 1))
    async with open_backend(settings) as backend:
        restoring = services_of(backend).restoring
        with pytest.raises(Unavailable, match="part of a backup"):
            await restoring.check_whole()
        with pytest.raises(Conflict, match="cut short"):
            await restoring.restore(SYSTEM.tenant, handed(entries))


async def test_what_came_to_its_end_is_served() -> None:
    """What ran waits."""
    async with open_memory() as backend:
        services = services_of(backend)
        await services.restoring.restore(SYSTEM.tenant, handed(await copied()))
        await services.restoring.check_whole()
        assert {task.state for task in await backend.tasks.list(SYSTEM.tenant, TaskQuery())} == {TaskState.PENDING}


@pytest.mark.parametrize("command", [["server", "--port", "0"], ["up", "--port", "0"], ["backup", "copy"]])
async def test_every_command_says_so(tmp_path: Path, run: Run, command: list[str]) -> None:
    """In one sentence, with what to do."""
    settings = {"CODETETHER_DATA_DIR": str(tmp_path / "data")}
    async with open_backend(read_settings(environment=settings)) as backend:
        await backend.set_whole(False)
    refused = run(*command)
    assert refused.returncode == 1
    assert "The store has a part of a backup" in refused.stderr
    assert "restore into a new store" in refused.stderr
    assert "Traceback" not in refused.stderr
