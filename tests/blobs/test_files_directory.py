"""What only a directory can promise: it survives crashes, is private, and says what is wrong with it."""

import asyncio
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from codetether_adapters.filesystem import open_blobs
from codetether_core.artifacts import CHUNK, BlobDamaged, BlobId
from codetether_core.errors import CodeTetherError, Invalid, Unavailable
from codetether_core.ids import TenantId
from codetether_core.ports import BlobStore
from contracts.ports.blob_bytes import listed
from contracts.ports.samples import TENANT

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "blobs and more"


@pytest.fixture
async def blobs(root: Path) -> AsyncIterator[BlobStore]:
    async with open_blobs(url(root)) as blobs:
        yield blobs


def url(root: Path) -> str:
    return root.as_uri()


def files(root: Path) -> list[Path]:
    """All but the locks."""
    return sorted(path for path in root.rglob("*") if path.is_file() and path.suffix != ".lock")


def place(root: Path, id: BlobId) -> Path:
    return root / TENANT / id[:2] / id[2:4] / id


def open_to_others(root: Path) -> list[Path]:
    return [path for path in (root, *root.rglob("*")) if path.stat().st_mode & 0o077]


def unmount(root: Path) -> None:
    """Leave an empty directory, as a disk that is not mounted does."""
    root.rename(root.with_name("elsewhere"))
    root.mkdir()


def mount(root: Path) -> None:
    root.rmdir()
    root.with_name("elsewhere").rename(root)


async def read(blobs: BlobStore, id: BlobId, start: int = 0) -> list[bytes]:
    async with blobs.open(TENANT, id, start=start) as chunks:
        return [chunk async for chunk in chunks]


async def refusal(url: str) -> CodeTetherError:
    with pytest.raises(CodeTetherError) as caught:
        async with open_blobs(url):
            pytest.fail("it opened")
    assert caught.value.hint
    return caught.value


@contextmanager
def writing(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that is in the middle of a put."""
    command = [sys.executable, "-m", "tests.blobs.programs", "hold", url(root)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "writing\n"
        try:
            yield process
        finally:
            process.kill()


async def test_blobs_outlive_their_store(root: Path) -> None:
    """Where two levels of directories lead to them."""
    async with open_blobs(url(root)) as blobs:
        id = await blobs.put(TENANT, b"data")
    assert files(root) == [place(root, id)]
    async with open_blobs(url(root)) as blobs:
        assert await read(blobs, id) == [b"data"]


async def test_several_may_open_one_directory(root: Path) -> None:
    async with open_blobs(url(root)) as one, open_blobs(url(root)) as other:
        id = await one.put(TENANT, b"data")
        assert await listed(other) == [id]
        await other.delete(TENANT, id)
        assert await listed(one) == []


async def test_everything_is_for_this_user_only(root: Path, blobs: BlobStore) -> None:
    """Artifacts are nobody else's business, whatever the mask."""
    before = os.umask(0)
    try:
        await blobs.put(TENANT, b"data")
    finally:
        os.umask(before)
    assert open_to_others(root) == []


async def test_a_blob_has_its_name_only_once_it_is_on_the_disk(
    root: Path, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is synchronised before it is renamed, and every directory on the way after it got its entry."""
    steps = list[str]()
    fsync, replace = os.fsync, Path.replace

    def note_fsync(descriptor: int) -> None:
        fsync(descriptor)
        steps.append(f"sync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")

    def note_replace(self: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "replace", note_replace)
    id = await blobs.put(TENANT, b"data")
    draft = steps[0]
    assert draft.startswith("sync ") and id not in draft
    assert steps[1:] == [f"sync {root.name}", f"sync {TENANT}", f"sync {id[:2]}", "rename", f"sync {id[2:4]}"]
    steps.clear()
    await blobs.put(TENANT, b"data")
    assert steps[1:] == ["rename", f"sync {id[2:4]}"]


@pytest.mark.parametrize("size", [3, CHUNK, 3 * CHUNK + 1])
@pytest.mark.parametrize("harm", ["changed", "shorter", "longer", "emptied"])
async def test_damage_is_found(root: Path, blobs: BlobStore, size: int, harm: str) -> None:
    """Instead of the end; and putting the same again repairs it."""
    data = b"x" * size
    id = await blobs.put(TENANT, data)
    (path,) = files(root)
    path.write_bytes({"changed": data[:-1] + b"y", "shorter": data[:-1], "longer": data + b"x", "emptied": b""}[harm])
    seen = list[bytes]()
    with pytest.raises(BlobDamaged):
        async with blobs.open(TENANT, id) as chunks:
            async for chunk in chunks:
                seen.append(chunk)
    assert len(b"".join(seen)) <= size - size % CHUNK and (size > CHUNK or not seen or harm == "longer")
    assert await blobs.put(TENANT, data) == id
    assert b"".join(await read(blobs, id)) == data


async def test_a_crash_leaves_nothing_for_long(root: Path) -> None:
    """What a killed process had begun is gone once somebody opens the store."""
    with writing(root) as process:
        process.kill()
        process.wait()
        assert len(files(root)) == 1
    async with open_blobs(url(root)) as blobs:
        assert await listed(blobs) == []
        assert files(root) == []
    assert [*(root / ".incoming").iterdir()] == []


async def test_a_living_process_keeps_what_it_began(root: Path) -> None:
    """However many open and close the store meanwhile."""
    with writing(root) as process:
        for _ in range(3):
            async with open_blobs(url(root)) as blobs:
                await blobs.put(TENANT, b"other")
        out, _ = process.communicate()
    async with open_blobs(url(root)) as blobs:
        assert b"".join(await read(blobs, BlobId(out.strip()))) == b"x" * CHUNK + b"y" * CHUNK


def test_a_full_disk_is_survived(root: Path) -> None:
    """What does not fit is refused with the next step and leaves nothing behind."""
    command = [sys.executable, "-m", "tests.blobs.programs", "crowd", url(root)]
    subprocess.run(command, cwd=ROOT, check=True)
    assert len(files(root)) == 2


async def test_a_missing_disk_is_not_a_missing_blob(root: Path, blobs: BlobStore) -> None:
    """Whoever asks is told to look at the disk, not that there is no such blob."""
    id = await blobs.put(TENANT, b"data")
    unmount(root)
    for call in (
        read(blobs, id),
        blobs.size(TENANT, id),
        blobs.delete(TENANT, id),
        blobs.list(TENANT),
        blobs.put(TENANT, b"more"),
        blobs.ping(),
    ):
        with pytest.raises(Unavailable) as caught:
            await call
        assert "mounted" in caught.value.hint
    mount(root)
    assert await read(blobs, id) == [b"data"]


async def test_a_directory_that_was_removed_is_made_again(root: Path, blobs: BlobStore) -> None:
    """By somebody who cleans up empty ones."""
    id = await blobs.put(TENANT, b"data")
    shutil.rmtree(root / TENANT)
    assert await listed(blobs) == []
    assert await blobs.put(TENANT, b"data") == id
    assert await read(blobs, id) == [b"data"]


async def test_pages_end_anywhere_among_blobs_that_share_their_directories(root: Path, blobs: BlobStore) -> None:
    """Each place where a page may end, with all that lies in the same two levels still to come."""
    ids = [BlobId(one + two + last * 60) for one in ("0a", "a0") for two in ("00", "a0", "ff") for last in "08f"]
    for id in ids:
        place(root, id).parent.mkdir(parents=True, exist_ok=True)
        place(root, id).touch()
    for number, id in enumerate(ids):
        assert await listed(blobs, after=id) == ids[number + 1 :]
        assert await listed(blobs, after=id, limit=2) == ids[number + 1 : number + 3]


async def test_foreign_files_are_no_blobs(root: Path, blobs: BlobStore) -> None:
    """Whatever else lies in the directory is neither listed nor touched."""
    id = await blobs.put(TENANT, b"data")
    place(root, id).with_name("README").touch()
    place(root, id).with_name(f"{id}.bak").touch()
    (root / TENANT / "lost+found").mkdir()
    (root / TENANT / "zz").mkdir()
    (root / "notes").touch()
    assert await listed(blobs) == [id]
    async with open_blobs(url(root)):
        pass
    assert len(files(root)) == 4


async def test_a_file_in_the_way_is_refused(root: Path, blobs: BlobStore) -> None:
    """In place of the directory, above it, and in place of a tenant's."""
    await blobs.put(TENANT, b"data")
    for taken in (files(root)[0], files(root)[0] / "blobs"):
        error = await refusal(url(taken))
        assert (
            isinstance(error, Unavailable) and str(taken) in error.message and "file that is in its place" in error.hint
        )
    (root / "other").touch()
    with pytest.raises(Unavailable) as caught:
        await blobs.put(TenantId("other"), b"data")
    assert "file that is in its place" in caught.value.hint


@pytest.mark.parametrize("place", ["/proc/codetether/blobs", "/sys/codetether", "/dev/null/blobs"])
async def test_a_directory_that_cannot_be_made_is_refused(place: str) -> None:
    """Not even root can write there."""
    error = await refusal(f"file://{place}")
    assert isinstance(error, Unavailable) and place in error.message


@pytest.mark.parametrize(
    "wrong", ["file://relative", "file:", "file:///", "file://host/x", "s3:///x", "/x", "", "file:///x?y=1"]
)
async def test_an_address_must_name_a_directory(wrong: str) -> None:
    """Absolutely, so that it does not depend on where the program was started."""
    assert isinstance(await refusal(wrong), Invalid)


async def test_a_cancelled_put_removes_its_draft(root: Path, blobs: BlobStore) -> None:
    """At once, not when somebody sweeps."""
    written = asyncio.Event()

    async def stream() -> AsyncIterator[bytes]:
        yield b"x" * CHUNK
        assert len(files(root)) == 1
        written.set()
        await asyncio.Event().wait()

    putting = asyncio.create_task(blobs.put(TENANT, stream()))
    await written.wait()
    putting.cancel()
    await asyncio.gather(putting, return_exceptions=True)
    assert files(root) == []


async def test_nothing_is_put_between_looking_and_dropping(
    root: Path, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By any process that shares the directory; puts do not wait for one another."""
    seen: list[tuple[bool, bool]] = []

    def free(how: int) -> bool:
        """Whether somebody else could have that lock just now."""
        with (root / ".turns.lock").open("r+b") as file:
            try:
                fcntl.flock(file, how | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    def watched(does: Callable[..., Path | None]) -> Callable[..., Path | None]:
        def watched(*arguments: Any) -> Path | None:
            seen.append((free(fcntl.LOCK_SH), free(fcntl.LOCK_EX)))
            return does(*arguments)

        return watched

    await blobs.put(TENANT, b"data")
    (kept,) = await blobs.list(TENANT)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", watched(Path.replace))
        patched.setattr(Path, "unlink", watched(Path.unlink))
        await blobs.put(TENANT, b"other")
        assert await blobs.drop(TENANT, kept)
    assert seen == [(True, False), (False, False)]
