"""No key to sign with."""

from __future__ import annotations

from attrs import frozen

__all__ = ["NoSigner"]


@frozen
class NoSigner:
    """Signs nothing, and takes nobody's word (a ``Signer``)."""

    key: str = ""

    def sign(self, message: bytes) -> bytes:
        """Nothing."""
        return b""

    def verify(self, key: str, message: bytes, signature: bytes) -> bool:
        """It cannot tell."""
        return False
