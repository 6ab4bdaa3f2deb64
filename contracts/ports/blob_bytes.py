"""Bytes to put into a blob store, and the way they come out again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from random import Random
from typing import Any, TypeAlias

from codetether_core.artifacts import BlobId
from codetether_core.ids import TenantId
from codetether_core.ports import BlobStore
from contracts.ports.samples import TENANT

__all__ = ["BlobExample", "listed", "pieces", "read", "some_bytes"]

BlobExample: TypeAlias = Callable[[BlobStore], Coroutine[Any, Any, None]]


def some_bytes(size: int) -> bytes:
    """Always the same ones for a size."""
    return Random(size).randbytes(size)


async def pieces(cut: Iterable[bytes]) -> AsyncIterator[bytes]:
    """A stream of them."""
    for piece in cut:
        yield piece


async def listed(
    blobs: BlobStore, tenant: TenantId = TENANT, *, after: BlobId | None = None, limit: int = 1000
) -> list[BlobId]:
    """A page of addresses."""
    return [blob.id for blob in await blobs.list(tenant, after=after, limit=limit)]


async def read(
    blobs: BlobStore, id: BlobId, start: int = 0, stop: int | None = None, tenant: TenantId = TENANT
) -> bytes:
    """A blob, or a part of it."""
    async with blobs.open(tenant, id, start=start, stop=stop) as chunks:
        return b"".join([chunk async for chunk in chunks])
