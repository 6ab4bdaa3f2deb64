"""Blobs: bytes under the address that their content gives them, so that no two writers can disagree about one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from datetime import datetime
from typing import Final, NewType

from attrs import frozen

from codetether_core.errors import CodeTetherError, Invalid
from codetether_core.ids import TenantId, digest

__all__ = [
    "CHUNK",
    "BlobDamaged",
    "BlobId",
    "KeptBlob",
    "address_before",
    "address_of",
    "blob_id",
    "blocks",
    "intact",
    "is_blob_id",
    "span",
    "tenant_folder",
]

BlobId = NewType("BlobId", str)
"""A blob's address in its tenant: the SHA-256 of its bytes in 64 lower-case hexadecimal digits."""

CHUNK: Final = 128 * 1024
"""Bytes that are read, hashed and written at a time."""

_ID: Final = re.compile(r"[0-9a-f]{64}")
_PLAIN_TENANT: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@frozen
class KeptBlob:
    """A blob in its store; ``put_at`` is when it was last put, by that store's own clock and by no other."""

    id: BlobId
    put_at: datetime


class BlobDamaged(CodeTetherError):
    """The bytes that the store has are not those whose address this is."""

    code = "blob_damaged"

    def __init__(self, id: BlobId, /) -> None:
        hint = "put the same bytes again, or restore them from a backup"
        super().__init__("The blob is damaged: its bytes do not have its digest", hint=hint, id=id)


def address_of(data: bytes) -> BlobId:
    """The address of these bytes in a store that keeps them as they are."""
    return BlobId(hashlib.sha256(data).hexdigest())


def address_before(id: BlobId) -> BlobId | None:
    """The address behind which this one is the first; ``None`` if it is the first of all."""
    number = int(id, 16)
    return BlobId(f"{number - 1:064x}") if number else None


def is_blob_id(text: str) -> bool:
    """Whether a text is an address; then it is a safe name for a file, too."""
    return _ID.fullmatch(text) is not None


def blob_id(text: str) -> BlobId:
    """The address that a text is; ``Invalid`` if it is none."""
    if not is_blob_id(text):
        raise Invalid("blob", "must be 64 lower-case hexadecimal digits", hint="use the address as it was given out")
    return BlobId(text)


def tenant_folder(tenant: TenantId) -> str:
    """A name of its own for each tenant, safe in paths and keys: its own if that is plain, else ``x.`` and a digest."""
    return tenant if _PLAIN_TENANT.fullmatch(tenant) else f"x.{digest(tenant)}"


def span(start: int, stop: int | None) -> int | None:
    """How many bytes lie between two offsets, ``None`` if there is no second one; ``Invalid`` if they are no range."""
    if start < 0 or (stop is not None and stop < start):
        raise Invalid("range", "must begin at 0 or later and not end before it begins")
    return None if stop is None else stop - start


def intact(id: BlobId, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks of a whole blob, the last one only if all have the digest: else ``BlobDamaged``, in its place."""
    sha = hashlib.sha256()
    held = b""
    for chunk in chunks:
        if held:
            yield held
        sha.update(chunk)
        held = chunk
    if sha.hexdigest() != id:
        raise BlobDamaged(id)
    if held:
        yield held


async def blocks(data: bytes | AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """The same bytes in blocks of at least ``CHUNK`` bytes, but for the last: each costs a turn in a thread."""
    if isinstance(data, bytes):
        yield data
        return
    waiting = bytearray()
    async for chunk in data:
        if len(chunk) >= CHUNK and not waiting:
            yield chunk
            continue
        waiting += chunk
        if len(waiting) >= CHUNK:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)
