"""The ``BlobStore`` in a directory: ``<tenant>/<2 digits>/<2 digits>/<address>``."""

from __future__ import annotations

import builtins
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final, ParamSpec, TypeVar
from urllib.parse import unquote, urlsplit

from anyio import CancelScope, CapacityLimiter
from anyio.to_thread import run_sync

from codetether_adapters.filesystem.durable import DurableDirectories, sync_directory
from codetether_adapters.filesystem.incoming import Incoming
from codetether_adapters.filesystem.reading import Reading
from codetether_adapters.filesystem.refusals import translated
from codetether_adapters.filesystem.turns import Turns
from codetether_core.artifacts import BlobId, KeptBlob, blob_id, blocks, intact, is_blob_id, span, tenant_folder
from codetether_core.errors import Invalid, NotFound
from codetether_core.ids import TenantId
from codetether_core.ports import BlobStore

__all__ = ["FileBlobs", "open_blobs"]

P = ParamSpec("P")
T = TypeVar("T")

_THREADS: Final = 8
_INCOMING: Final = ".incoming"
_TURNS: Final = ".turns.lock"
_BEGINNING: Final = datetime.fromtimestamp(0, UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class FileBlobs:
    """A ``BlobStore``. Directories that deleting leaves empty stay: a put may be on its way to one."""

    def __init__(self, root: Path, incoming: Incoming) -> None:
        self._root = root
        self._incoming = incoming
        self._directories = DurableDirectories()
        self._turns = Turns(root / _TURNS)
        self._threads = CapacityLimiter(_THREADS)

    async def put(self, tenant: TenantId, data: bytes | AsyncIterable[bytes]) -> BlobId:
        """Write a draft and rename it."""
        draft = self._incoming.draft()
        try:
            async with aclosing(blocks(data)) as found:
                async for block in found:
                    await self._call(draft.write, block)
            return await self._call(draft.keep, lambda id: self._place(tenant, id), self._turns.moving())
        finally:
            with CancelScope(shield=True):
                await self._call(draft.discard)

    @asynccontextmanager
    async def open(
        self, tenant: TenantId, id: BlobId, *, start: int = 0, stop: int | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Read the file."""
        reading = Reading(self._path(tenant, id), start, span(start, stop))
        try:
            await self._find(id, reading.open)
            chunks = intact(id, reading) if start == 0 and stop is None else reading
            async with aclosing(self._iterate(chunks)) as found:
                yield found
        finally:
            with CancelScope(shield=True):
                await self._call(reading.close)

    async def size(self, tenant: TenantId, id: BlobId) -> int:
        """The file's."""
        return (await self._find(id, self._path(tenant, id).stat)).st_size

    async def delete(self, tenant: TenantId, id: BlobId) -> None:
        """Remove the file."""
        await self._call(self._remove, self._path(tenant, id))

    async def drop(self, tenant: TenantId, blob: KeptBlob) -> bool:
        """Look at the file's time and remove it, while nothing is put in its place."""
        return await self._call(self._remove_as_listed, self._path(tenant, blob.id), blob.put_at)

    async def list(self, tenant: TenantId, *, after: BlobId | None = None, limit: int = 1000) -> Sequence[KeptBlob]:
        """Walk the directories in order, past those that lie before ``after``."""
        last = blob_id(after) if after is not None else ""
        return await self._call(self._page, self._root / tenant_folder(tenant), last, limit)

    async def url(self, tenant: TenantId, id: BlobId, expires: timedelta) -> str | None:
        """A file has none."""
        blob_id(id)
        return None

    async def ping(self) -> None:
        """Write something, as only that shows that there is room."""
        await self._call(self._incoming.probe)

    def _path(self, tenant: TenantId, id: BlobId) -> Path:
        name = blob_id(id)
        return self._root / tenant_folder(tenant) / name[:2] / name[2:4] / name

    def _place(self, tenant: TenantId, id: BlobId) -> Path:
        path = self._path(tenant, id)
        self._directories.make(path.parent, self._root)
        return path

    def _remove(self, path: Path) -> None:
        try:
            path.unlink()
        except FileNotFoundError:
            self._incoming.check()
        else:
            sync_directory(path.parent)

    def _remove_as_listed(self, path: Path, put_at: datetime) -> bool:
        self._incoming.check()
        with self._turns.deleting():
            if _put_at(path) != put_at:
                return False
            path.unlink()
        sync_directory(path.parent)
        return True

    def _page(self, directory: Path, last: str, limit: int) -> builtins.list[KeptBlob]:
        self._incoming.check()
        return [*islice(_listed(directory, last), limit)]

    async def _find(self, id: BlobId, call: Callable[[], T]) -> T:
        """Call what looks for a file; that there is none tells of a blob only while the directory itself is there."""
        with translated(self._root):
            try:
                return await run_sync(call, limiter=self._threads)
            except FileNotFoundError:
                await run_sync(self._incoming.check, limiter=self._threads)
                raise NotFound("blob", id) from None

    async def _call(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        with translated(self._root):
            return await run_sync(lambda: call(*args, **kwargs), limiter=self._threads)

    async def _iterate(self, chunks: Iterable[bytes]) -> AsyncGenerator[bytes, None]:
        left = iter(chunks)
        while chunk := await self._call(next, left, b""):
            yield chunk


@asynccontextmanager
async def open_blobs(url: str, *, environment: Mapping[str, str] | None = None) -> AsyncIterator[BlobStore]:
    """The blobs in the directory that ``file:///absolute/path`` names, made for this user only if there is none.

    The environment has nothing to say. ``Unavailable`` tells what is wrong with the directory and what to do.
    """
    root = _root(url)
    with translated(root):
        incoming = await run_sync(_prepare, root)
    try:
        yield FileBlobs(root, incoming)
    finally:
        with CancelScope(shield=True), translated(root):
            await run_sync(incoming.close)


def _root(url: str) -> Path:
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    if parts.scheme != "file" or parts.netloc or parts.query or not path.is_absolute() or path == Path("/"):
        problem = "must be file:// and the absolute path of a directory"
        raise Invalid("blobs", problem, hint="file:///var/lib/codetether/blobs")
    return path


def _prepare(root: Path) -> Incoming:
    known = next(path for path in (root, *root.parents) if path.is_dir())
    DurableDirectories().make(root / _INCOMING, known)
    return Incoming(root / _INCOMING)


def _listed(directory: Path, last: str) -> Iterator[KeptBlob]:
    """But for those that are deleted meanwhile."""
    for path in _walk(directory, last):
        if (put_at := _put_at(path)) is not None:
            yield KeptBlob(BlobId(path.name), put_at)


def _put_at(path: Path) -> datetime | None:
    try:
        return _BEGINNING + path.stat().st_mtime_ns // 1000 * _MICROSECOND
    except FileNotFoundError:
        return None


def _walk(directory: Path, last: str, known: str = "") -> Iterator[Path]:
    """The blobs behind the address ``last`` in order; ``known`` are the digits that the directories above stand for."""
    for name in sorted(_names(directory)):
        if len(known) < 4:
            prefix = known + name
            if len(name) == 2 and prefix >= last[: len(prefix)]:
                yield from _walk(directory / name, last, prefix)
        elif name > last and is_blob_id(name):
            yield directory / name


def _names(directory: Path) -> Iterator[str]:
    try:
        yield from (entry.name for entry in directory.iterdir())
    except FileNotFoundError:
        return
