"""An installation that has nowhere to keep files, and says so."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import NoReturn

from codetether_core.artifacts import BlobId, KeptBlob
from codetether_core.errors import NotConfigured
from codetether_core.ids import TenantId

__all__ = ["NoBlobs"]


class NoBlobs:
    """A ``BlobStore`` whose every method raises ``NotConfigured``, but that it answers to ``ping``."""

    async def put(self, tenant: TenantId, data: bytes | AsyncIterable[bytes]) -> BlobId:
        """Refuse."""
        _refuse()

    def open(
        self, tenant: TenantId, id: BlobId, *, start: int = 0, stop: int | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Refuse."""
        _refuse()

    async def size(self, tenant: TenantId, id: BlobId) -> int:
        """Refuse."""
        _refuse()

    async def delete(self, tenant: TenantId, id: BlobId) -> None:
        """Refuse."""
        _refuse()

    async def drop(self, tenant: TenantId, blob: KeptBlob) -> bool:
        """Refuse."""
        _refuse()

    async def list(self, tenant: TenantId, *, after: BlobId | None = None, limit: int = 1000) -> Sequence[KeptBlob]:
        """Refuse."""
        _refuse()

    async def url(self, tenant: TenantId, id: BlobId, expires: timedelta) -> str | None:
        """Refuse."""
        _refuse()

    async def ping(self) -> None:
        """Nothing is wrong."""


def _refuse() -> NoReturn:
    raise NotConfigured(
        "This server has no store for files (CODETETHER_BLOBS)",
        hint="an operator sets CODETETHER_BLOBS, to file:///PATH or s3://HOST/BUCKET, the same on every server",
    )
