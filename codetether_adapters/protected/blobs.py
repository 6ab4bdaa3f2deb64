"""Blobs, encrypted piece by piece.

A blob begins with a mark and the number of its data key. Pieces of 64 KiB follow, each bound to its place, and the last
one says that it is: what was cut or rearranged cannot be read. Equal bytes under one data key are equal blobs, so that
they are kept once; their address is that of what is encrypted, and tells nothing of them to who has not the key.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

from attrs import field, frozen

from codetether_adapters.protected.pieces import (
    HEAD,
    LAST,
    MARK,
    MORE,
    PIECE,
    SEALED,
    clear_size,
    cut,
    head_of,
    number_in,
    regrouped,
)
from codetether_core.artifacts import BlobId, KeptBlob, blob_id, span
from codetether_core.errors import NotFound, Undecipherable
from codetether_core.ids import TenantId, framed
from codetether_core.ports import BlobStore, Cipher
from codetether_core.secrets import data_key_id, number_of
from codetether_core.services import DataKeys, OpenKey

__all__ = ["EncryptedBlobs"]

_KNOWN: Final = 10_000
"""Blobs of which it is remembered under which data key they are."""


@frozen
class EncryptedBlobs:
    """Keeps what it encrypts in another store, if it is ``on``, and reads what was (a ``BlobStore``)."""

    blobs: BlobStore
    keys: DataKeys
    cipher: Cipher
    on: bool
    _numbers: OrderedDict[tuple[TenantId, BlobId], int | None] = field(factory=OrderedDict, init=False)

    async def put(self, tenant: TenantId, data: bytes | AsyncIterable[bytes]) -> BlobId:
        """Encrypted; else in clear, with a mark before what would be taken for encrypted."""
        async with aclosing(cut(data)) as pieces:
            first, last = await anext(pieces)
            if self.on:
                key = await self.keys.last(tenant)
                whole = self._sealed(tenant, key, first, last, pieces)
            else:
                whole = _joined(head_of(0) if first.startswith(MARK) else b"", first, pieces)
            async with aclosing(whole) as kept:
                return await self.blobs.put(tenant, kept)

    @asynccontextmanager
    async def open(
        self, tenant: TenantId, id: BlobId, *, start: int = 0, stop: int | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Of a range, no more is read than the pieces that it is in."""
        span(start, stop)
        number = await self._number(tenant, id)
        if not number:
            head = 0 if number is None else HEAD
            first, end = start + head, None if stop is None else stop + head
            async with self.blobs.open(tenant, id, start=first, stop=end) as chunks:
                yield chunks
            return
        key = await self.keys.get(tenant, data_key_id(number))
        whole = start == 0 and stop is None  # which the other store can check then
        piece = start // PIECE
        first = 0 if whole else HEAD + piece * SEALED
        end = None if stop is None else max(HEAD - (-stop // PIECE) * SEALED, first)
        async with (
            self.blobs.open(tenant, id, start=first, stop=end) as chunks,
            aclosing(_behind(HEAD if whole else 0, chunks)) as behind,
            aclosing(self._clear(tenant, key, behind, piece, to_the_end=stop is None)) as clear,
            aclosing(_sliced(clear, start - piece * PIECE, None if stop is None else stop - piece * PIECE)) as sliced,
        ):
            yield sliced

    async def size(self, tenant: TenantId, id: BlobId) -> int:
        """Of what is clear."""
        number, size = await self._number(tenant, id), await self.blobs.size(tenant, id)
        if number is None:
            return size
        return clear_size(size) if number else size - HEAD

    async def delete(self, tenant: TenantId, id: BlobId) -> None:
        await self.blobs.delete(tenant, id)

    async def drop(self, tenant: TenantId, blob: KeptBlob) -> bool:
        return await self.blobs.drop(tenant, blob)

    async def list(self, tenant: TenantId, *, after: BlobId | None = None, limit: int = 1000) -> Sequence[KeptBlob]:
        return await self.blobs.list(tenant, after=after, limit=limit)

    async def url(self, tenant: TenantId, id: BlobId, expires: timedelta) -> str | None:
        """``None`` where nobody but us could read what is there."""
        blob_id(id)
        if self.on:
            return None
        with suppress(NotFound):
            if await self._number(tenant, id) is not None:
                return None
        return await self.blobs.url(tenant, id, expires)

    async def ping(self) -> None:
        await self.blobs.ping()

    async def _number(self, tenant: TenantId, id: BlobId) -> int | None:
        """Of its data key: it is read once, as a blob never changes."""
        if (tenant, id) not in self._numbers:
            async with self.blobs.open(tenant, id, stop=HEAD) as chunks:
                found = number_in(b"".join([chunk async for chunk in chunks]))
            self._numbers[tenant, id] = found
            if len(self._numbers) > _KNOWN:
                self._numbers.popitem(last=False)
        return self._numbers[tenant, id]

    async def _sealed(
        self, tenant: TenantId, key: OpenKey, piece: bytes, last: bool, more: AsyncIterator[tuple[bytes, bool]]
    ) -> AsyncGenerator[bytes, None]:
        yield head_of(number_of(key.id)) + self._seal(tenant, key, 0, piece, last)
        index = 0
        async for piece, last in more:
            index += 1
            yield self._seal(tenant, key, index, piece, last)

    def _seal(self, tenant: TenantId, key: OpenKey, index: int, piece: bytes, last: bool) -> bytes:
        return self.cipher.encrypt_alike(key.key, (LAST if last else MORE) + piece, _place(tenant, key, index))

    async def _clear(
        self, tenant: TenantId, key: OpenKey, chunks: AsyncIterator[bytes], index: int, *, to_the_end: bool
    ) -> AsyncGenerator[bytes, None]:
        """The pieces from the ``index``-th on; ``Undecipherable`` if they are others, or end too early."""
        ended = index > 0
        async with aclosing(regrouped(chunks, SEALED)) as pieces:
            async for piece in pieces:
                framed = self.cipher.decrypt_alike(key.key, piece, _place(tenant, key, index))
                index, ended = index + 1, framed[:1] == LAST
                if len(framed) > 1:
                    yield framed[1:]
        if to_the_end and not ended:
            raise Undecipherable("The blob was cut off", hint="restore it from a backup")


async def _joined(head: bytes, piece: bytes, more: AsyncIterator[tuple[bytes, bool]]) -> AsyncGenerator[bytes, None]:
    yield head + piece
    async for piece, _ in more:
        yield piece


async def _behind(bytes_before: int, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """What follows so many bytes."""
    async for chunk in chunks:
        if rest := chunk[bytes_before:]:
            yield rest
        bytes_before = max(bytes_before - len(chunk), 0)


async def _sliced(chunks: AsyncIterator[bytes], start: int, stop: int | None) -> AsyncGenerator[bytes, None]:
    offset = 0
    async for chunk in chunks:
        end = None if stop is None else max(stop - offset, 0)
        if part := chunk[max(start - offset, 0) : end]:
            yield part
        offset += len(chunk)


def _place(tenant: TenantId, key: OpenKey, index: int) -> bytes:
    return framed("piece of a blob", tenant, key.id, str(index))
