"""Blobs in memory."""

from __future__ import annotations

import builtins
from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from hashlib import sha256

from codetether_core.artifacts import CHUNK, BlobId, blob_id, blocks, span
from codetether_core.errors import Invalid, NotFound
from codetether_core.ids import TenantId
from codetether_core.ports import BlobStore

__all__ = ["MemoryBlobs", "open_blobs"]


class MemoryBlobs:
    """A ``BlobStore`` that ends with its process."""

    def __init__(self) -> None:
        self._kept: dict[TenantId, dict[BlobId, bytes]] = {}

    async def put(self, tenant: TenantId, data: bytes | AsyncIterable[bytes]) -> BlobId:
        """Gather it."""
        async with aclosing(blocks(data)) as found:
            whole = b"".join([block async for block in found])
        id = BlobId(sha256(whole).hexdigest())
        self._kept.setdefault(tenant, {})[id] = whole
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

    async def list(self, tenant: TenantId, *, after: BlobId | None = None, limit: int = 1000) -> Sequence[BlobId]:
        """Sort what there is."""
        ids: builtins.list[BlobId] = sorted(self._kept.get(tenant, {}))
        first = 0 if after is None else bisect_right(ids, blob_id(after))
        return ids[first : first + limit]

    async def url(self, tenant: TenantId, id: BlobId, expires: timedelta) -> str | None:
        """There is none."""
        blob_id(id)
        return None

    async def ping(self) -> None:
        """Always there."""

    def _find(self, tenant: TenantId, id: BlobId) -> bytes:
        try:
            return self._kept.get(tenant, {})[blob_id(id)]
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
