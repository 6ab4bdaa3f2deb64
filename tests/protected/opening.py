"""Stores that encrypt, over others."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from codetether_adapters import memory, sqlite
from codetether_adapters.ciphers import Aes
from codetether_adapters.filesystem.blobs import open_blobs as open_files
from codetether_adapters.protected import EncryptedBlobs, Encrypting, ProtectedBackend
from codetether_core.ports import Backend, BlobStore
from codetether_core.services import DataKeys, Encryption
from tests.services.conftest import Dice, FakeClock

__all__ = [
    "KEY",
    "encrypted_files",
    "encrypted_memory",
    "encrypted_memory_blobs",
    "encrypted_sqlite",
    "encrypting",
    "keys_of",
]

KEY = ("k1", bytes(range(32)))


def keys_of(backend: Backend, *keys: tuple[str, bytes]) -> DataKeys:
    return DataKeys(backend.data_keys, Aes(keys or [KEY]), FakeClock(), Dice())


def encrypting(backend: Backend, *, on: bool = True, kept_in: Backend | None = None) -> ProtectedBackend:
    """The same stores with encryption before them, under data keys that are kept in them, or elsewhere."""
    keys = keys_of(kept_in or backend)
    return ProtectedBackend.over(backend, [Encrypting(Encryption(keys, keys.cipher, keys.entropy), on=on)])


@asynccontextmanager
async def encrypted_memory() -> AsyncIterator[Backend]:
    async with memory.open_backend() as backend, memory.open_backend() as elsewhere:
        yield encrypting(backend, kept_in=elsewhere)


@asynccontextmanager
async def encrypted_sqlite() -> AsyncIterator[Backend]:
    with tempfile.TemporaryDirectory() as directory:
        async with sqlite.open_backend(f"sqlite://{directory}/store.db") as backend, memory.open_backend() as elsewhere:
            yield encrypting(backend, kept_in=elsewhere)


@asynccontextmanager
async def encrypted_memory_blobs(*, on: bool = True) -> AsyncIterator[BlobStore]:
    async with memory.open_backend() as backend, memory.open_blobs("memory://") as blobs:
        keys = keys_of(backend)
        yield EncryptedBlobs(blobs, keys, keys.cipher, on)


@asynccontextmanager
async def encrypted_files() -> AsyncIterator[BlobStore]:
    with tempfile.TemporaryDirectory() as directory:
        async with memory.open_backend() as backend, open_files(f"file://{Path(directory) / 'blobs'}") as blobs:
            keys = keys_of(backend)
            yield EncryptedBlobs(blobs, keys, keys.cipher, on=True)
