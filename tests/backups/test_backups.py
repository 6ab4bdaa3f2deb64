"""A backup is one file that is whole or refused, and what is restored from it can be worked on."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from codetether_adapters.filesystem import open_blobs
from codetether_adapters.sqlite import open_backend
from codetether_adapters.system import SystemClock, SystemEntropy
from codetether_core.access import SYSTEM
from codetether_core.ids import WorkerId
from codetether_core.ports import TaskQuery
from codetether_core.services import assemble
from codetether_core.tasks import GLOBAL, OutputChunk, TaskSpec, TaskState, Word
from tests.backups.conftest import Run

pytestmark = pytest.mark.anyio

LEFT = bytes(range(256)) * 4_000
"""What a run left: several chunks."""


async def used(path: Path) -> None:
    """A store with a task that is done, one that runs and one that waits."""
    async with (
        open_backend(f"sqlite://{path}") as backend,
        open_blobs(f"file://{path.parent}/data/blobs") as blobs,
    ):
        services = assemble(backend, SystemClock(), SystemEntropy(), blobs=blobs)
        for title in ("done", "running", "waiting"):
            task = await services.submission.submit(SYSTEM, TaskSpec(codebase=GLOBAL, title=title, prompt="p"))
            if title != "waiting":
                task = await services.claiming.claim(SYSTEM, WorkerId("w"), task.id, tokened=True)
                assert task.grant is not None
                word = Word(worker=WorkerId("w"), principal=SYSTEM.name, token=task.grant.token)
                chunk = OutputChunk(text="é" * 3 + "\n")
                await services.reporting.output(SYSTEM.tenant, word, task.id, [chunk], first=0)
                if title == "done":
                    for name in ("a.bin", "the same.bin"):
                        await services.attaching.attach(SYSTEM.tenant, word, task.id, name, "", LEFT)
                    await services.reporting.complete(SYSTEM.tenant, word, task.id, "fine")


async def states(path: Path) -> Mapping[str, TaskState]:
    """The tasks of a store."""
    async with open_backend(f"sqlite://{path}") as backend:
        return {task.spec.title: task.state for task in await backend.tasks.list(SYSTEM.tenant, TaskQuery())}


async def left(path: Path, data: Path) -> Mapping[str, bytes]:
    """The files of a store's tasks."""
    found = {}
    async with open_backend(f"sqlite://{path}") as backend, open_blobs(f"file://{data}/blobs") as blobs:
        for task in await backend.tasks.list(SYSTEM.tenant, TaskQuery()):
            for artifact in task.artifacts:
                async with blobs.open(SYSTEM.tenant, artifact.blob) as chunks:
                    found[artifact.name] = b"".join([chunk async for chunk in chunks])
    return found


async def test_what_is_backed_up_is_restored_elsewhere(tmp_path: Path, run: Run) -> None:
    """What ran is offered again."""
    await used(tmp_path / "old.db")
    made = run("backup", "copy.backup", "--store", f"sqlite://{tmp_path}/old.db")
    assert (made.returncode, made.stderr) == (0, "")
    assert "3 tasks, 1 blob" in made.stdout
    assert (tmp_path / "copy.backup").stat().st_mode & 0o777 == 0o600
    checked = run("verify", "copy.backup", "--json")
    assert checked.returncode == 0, checked.stderr
    elsewhere = {"CODETETHER_STORE": f"sqlite://{tmp_path}/new.db", "CODETETHER_DATA_DIR": str(tmp_path / "other")}
    restored = run("restore", "copy.backup", **elsewhere)
    assert (restored.returncode, restored.stderr) == (0, "")
    assert await left(tmp_path / "new.db", tmp_path / "other") == {"a.bin": LEFT, "the same.bin": LEFT}
    assert await states(tmp_path / "new.db") == {
        "done": TaskState.COMPLETED,
        "running": TaskState.PENDING,
        "waiting": TaskState.PENDING,
    }


async def test_a_store_that_is_not_empty_takes_no_backup(tmp_path: Path, run: Run) -> None:
    """And is left as it is."""
    await used(tmp_path / "old.db")
    store = f"sqlite://{tmp_path}/old.db"
    assert run("backup", "copy.backup", "--store", store).returncode == 0
    refused = run("restore", "copy.backup", "--store", store)
    assert refused.returncode != 0
    assert refused.stderr == "codetether: The store is not empty\n  → restore into a new one\n"
    assert len(await states(tmp_path / "old.db")) == 3


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda content: content[: len(content) // 2], "cut off"),
        (lambda content: content[:-200], "cut off"),
        (lambda content: b"", "no backup"),
        (lambda content: b"hello", "no backup"),
        (lambda content: gzip.compress(gzip.decompress(content).replace("é".encode(), "è".encode())), "damaged"),
        (lambda content: gzip.compress(gzip.decompress(content).replace(LEFT[:600], LEFT[1:601], 1)), "are others"),
        (lambda content: gzip.compress(gzip.decompress(content).replace(b'"format": 1', b'"format": 9')), "format 9"),
    ],
)
async def test_a_damaged_backup_is_refused_whole(
    tmp_path: Path, run: Run, damage: Callable[[bytes], bytes], said: str
) -> None:
    """Nothing of it reaches the store."""
    await used(tmp_path / "old.db")
    run("backup", "copy.backup", "--store", f"sqlite://{tmp_path}/old.db")
    broken = tmp_path / "broken.backup"
    broken.write_bytes(damage((tmp_path / "copy.backup").read_bytes()))
    for command in (("verify",), ("restore", "--store", f"sqlite://{tmp_path}/new.db")):
        refused = run(command[0], "broken.backup", *command[1:])
        assert refused.returncode == 1
        assert said in refused.stderr
        assert "Traceback" not in refused.stderr
    assert not (tmp_path / "new.db").exists()


async def test_bad_places_are_told_in_one_sentence(tmp_path: Path, run: Run) -> None:
    """A file that is there, a directory that is not, a store in use."""
    await used(tmp_path / "old.db")
    store = f"sqlite://{tmp_path}/old.db"
    (tmp_path / "there").write_text("mine")
    for place, said in (("there", "is there already"), ("nowhere/copy", "No such file")):
        refused = run("backup", place, "--store", store)
        assert refused.returncode == 1
        assert said in refused.stderr
        assert "Traceback" not in refused.stderr
    assert (tmp_path / "there").read_text() == "mine"
    async with open_backend(store):
        refused = run("backup", "copy.backup", "--store", store)
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "copy.backup").exists()


def test_no_backup_is_made_of_a_store_that_is_not_there(tmp_path: Path, run: Run) -> None:
    """Nor is the store."""
    refused = run("backup", "copy.backup", "--store", f"sqlite://{tmp_path}/misspelt.db")
    assert refused.returncode == 1
    assert "There is no store to copy" in refused.stderr
    assert [*tmp_path.glob("misspelt*")] == [] and not (tmp_path / "copy.backup").exists()


async def test_files_without_a_place_are_refused_before_anything_is_restored(tmp_path: Path, run: Run) -> None:
    await used(tmp_path / "old.db")
    run("backup", "copy.backup", "--store", f"sqlite://{tmp_path}/old.db")
    refused = run("restore", "copy.backup", CODETETHER_BLOBS="nowhere://x")
    assert refused.returncode == 2
    assert "storage.blobs (environment CODETETHER_BLOBS) names nowhere://" in refused.stderr


async def test_a_store_and_a_server_are_not_both_asked(run: Run) -> None:
    refused = run("backup", "copy", "--online", "--store", "memory://")
    assert refused.returncode == 2 and "--online" in refused.stderr
