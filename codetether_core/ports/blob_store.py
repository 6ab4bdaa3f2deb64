"""Where bytes too large for the log are kept: artifacts, transcripts, logs past their retention."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

from codetether_core.artifacts import BlobId, KeptBlob
from codetether_core.ids import TenantId

__all__ = ["BlobStore"]


class BlobStore(Protocol):
    """Bytes by their address in a tenant. A blob never changes, so any two may put the same one at the same time.

    Every method but ``url`` may raise ``Unavailable``, whose hint is the next step, and every one that takes an
    address ``Invalid`` for a text that is none. Memory is bounded by the chunks, whatever a blob's size.
    """

    async def put(self, tenant: TenantId, data: bytes | AsyncIterable[bytes]) -> BlobId:
        """Keep the bytes, durably, and say their address; putting again what is there renews its time and repairs
        it if it was damaged.

        That time is not before the last of the bytes came. What an iterator raises comes out here, and nothing is kept.
        """
        ...

    def open(
        self, tenant: TenantId, id: BlobId, *, start: int = 0, stop: int | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The bytes from offset ``start`` up to but without ``stop``, in chunks, as far as the blob has them.

        ``NotFound`` on entering, also for another tenant's; ``Invalid`` for a range that is none. Where the whole is
        read, its last chunk comes only after its digest was checked: ``BlobDamaged`` otherwise. A range cannot be
        checked.
        """
        ...

    async def size(self, tenant: TenantId, id: BlobId) -> int:
        """How many bytes the blob has; ``NotFound``."""
        ...

    async def delete(self, tenant: TenantId, id: BlobId) -> None:
        """Forget the blob; fine if there is none."""
        ...

    async def drop(self, tenant: TenantId, blob: KeptBlob) -> bool:
        """Forget a blob that was listed so, unless it was put again since; whether it did.

        Nothing comes between looking and deleting, as far as the store knows a way to have it so.
        """
        ...

    async def list(self, tenant: TenantId, *, after: BlobId | None = None, limit: int = 1000) -> Sequence[KeptBlob]:
        """Up to ``limit`` of the tenant's blobs in order of address, beginning behind ``after``."""
        ...

    async def url(self, tenant: TenantId, id: BlobId, expires: timedelta) -> str | None:
        """Where anybody may read the blob until then, or ``None`` if the store has no such thing. Asks nobody.

        A store that signs raises ``Invalid`` for less than a second or more than seven days.
        """
        ...

    async def ping(self) -> None:
        """Return if blobs can be kept; ``Unavailable`` says what is wrong and what to do."""
        ...
