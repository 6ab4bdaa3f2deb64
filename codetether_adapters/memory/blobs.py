"""Blobs in memory."""

from __future__ import annotations

import builtins
from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from codetether_core.artifacts import CHUNK, BlobId, KeptBlob, blob_id, blocks, span
from codetether_core.errors import Invalid, NotFound
from codetether_core.ids import TenantId
from codetether_core.ports import BlobStore

__all__ = ["MemoryBlobs", "open_blobs"]


class MemoryBlobs:
    """A ``BlobStore`` that ends with its process; ``now`` is its clock, this machine's if there is no other."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._kept: dict[TenantId, dict[BlobId, tuple[bytes, datetime]]] = {}

    async def put(self, tenant: TenantId, data: bytes | AsyncIterable[bytes]) -> BlobId:
        """Gather it."""
        async with aclosing(blocks(data)) as found:
            whole = b"".join([block async for block in found])
        id = BlobId(sha256(whole).hexdigest())
        self._kept.setdefault(tenant, {})[id] = whole, self._now()
        return id

    @asynccontextmanager
    async def open(
        self, tenant: TenantId, id: BlobId, *, start: int = 0, stop: int | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Slice it."""
        span(start, stop)
        async with aclosing(_chunks(self._find(tenant, id)[start:stop])) as found:
            yield found

    async def size(self, tenant: TenantId, id: BlobId) -> int:
        """Its length."""
        return len(self._find(tenant, id))

    async def delete(self, tenant: TenantId, id: BlobId) -> None:
        """Drop it."""
        self._kept.get(tenant, {}).pop(blob_id(id), None)

    async def drop(self, tenant: TenantId, blob: KeptBlob) -> bool:
        """Look and drop it."""
        kept = self._kept.get(tenant, {})
        _, put_at = kept.get(blob_id(blob.id), (b"", None))
        if put_at != blob.put_at:
            return False
        del kept[blob.id]
        return True

    async def list(self, tenant: TenantId, *, after: BlobId | None = None, limit: int = 1000) -> Sequence[KeptBlob]:
        """Sort what there is."""
        kept = self._kept.get(tenant, {})
        ids: builtins.list[BlobId] = sorted(kept)
        first = 0 if after is None else bisect_right(ids, blob_id(after))
        return [KeptBlob(id, kept[id][1]) for id in ids[first : first + limit]]

    async def url(self, tenant: TenantId, id: BlobId, expires: timedelta) -> str | None:
        """There is none."""
        blob_id(id)
        return None

    async def ping(self) -> None:
        """Always there."""

    def _find(self, tenant: TenantId, id: BlobId) -> bytes:
        try:
            return self._kept.get(tenant, {})[blob_id(id)][0]
        except KeyError:
            raise NotFound("blob", id) from None


@asynccontextmanager
async def open_blobs(url: str, *, environment: Mapping[str, str] | None = None) -> AsyncIterator[BlobStore]:
    """A new, empty store; ``url`` is ``memory://``, and the environment has nothing to say."""
    if url != "memory://":
        raise Invalid("blobs", "must be memory:// and nothing more")
    yield MemoryBlobs()


async def _chunks(data: bytes) -> AsyncGenerator[bytes, None]:
    for first in range(0, len(data), CHUNK):
        yield data[first : first + CHUNK]
