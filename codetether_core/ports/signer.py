"""Signatures."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Signer"]


class Signer(Protocol):
    """Signs with the installation's key, and checks with anybody's (Ed25519, RFC 8032)."""

    @property
    def key(self) -> str:
        """The public key, in hexadecimal; empty if there is none to sign with."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature; nothing without a key."""
        ...

    def verify(self, key: str, message: bytes, signature: bytes) -> bool:
        """Whether the bearer of that public key signed the message."""
        ...
