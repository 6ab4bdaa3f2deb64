"""The installation's key that is made of its secret key, the same every time (HKDF, RFC 5869)."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

__all__ = ["DERIVED", "derived_key"]

DERIVED: Final = "secret-key-"
"""How names of such keys begin."""


def derived_key(secret: bytes) -> tuple[str, bytes]:
    """Its name, which tells it from that of another secret, and the key."""
    return f"{DERIVED}{_derived(secret, b'name of the key of data keys', 4).hex()}", _derived(secret, b"data keys", 32)


def _derived(secret: bytes, purpose: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=b"codetether " + purpose).derive(secret)
