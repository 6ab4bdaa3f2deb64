"""Ed25519 (RFC 8032)."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

__all__ = ["Ed25519"]


class Ed25519:
    """Signs with a key that is made of the installation's, the same every time (a ``Signer``); without it, nothing."""

    def __init__(self, secret: bytes | None, purpose: bytes) -> None:
        self._private = None if secret is None else _derived(secret, purpose)
        self.key = "" if self._private is None else self._private.public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return b"" if self._private is None else self._private.sign(message)

    def verify(self, key: str, message: bytes, signature: bytes) -> bool:
        """By the public key alone."""
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def _derived(secret: bytes, purpose: bytes) -> Ed25519PrivateKey:
    seed = HKDF(SHA256(), 32, salt=None, info=b"codetether " + purpose).derive(secret)
    return Ed25519PrivateKey.from_private_bytes(seed)
