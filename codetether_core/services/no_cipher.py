"""No key to encrypt under."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from attrs import frozen

from codetether_core.errors import NotConfigured

__all__ = ["NoCipher"]

_HINT: Final = "set CODETETHER_ENCRYPTION_KEYS to what `codetether encryption new-key` prints"


@frozen
class NoCipher:
    """Encrypts nothing and reads nothing that is encrypted (a ``Cipher``)."""

    key_id: str = ""
    key_ids: Collection[str] = ()

    def wrap(self, data_key: bytes, context: bytes, nonce: bytes) -> bytes:
        """``NotConfigured``."""
        raise self._missing()

    def unwrap(self, key_id: str, wrapped: bytes, context: bytes) -> bytes:
        """``NotConfigured``."""
        raise self._missing()

    def encrypt(self, data_key: bytes, clear: bytes, context: bytes, nonce: bytes) -> bytes:
        """``NotConfigured``."""
        raise self._missing()

    def encrypt_alike(self, data_key: bytes, clear: bytes, context: bytes) -> bytes:
        """``NotConfigured``."""
        raise self._missing()

    def decrypt_alike(self, data_key: bytes, sealed: bytes, context: bytes) -> bytes:
        """``NotConfigured``."""
        raise self._missing()

    def decrypt(self, data_key: bytes, sealed: bytes, context: bytes) -> bytes:
        """``NotConfigured``."""
        raise self._missing()

    def _missing(self) -> NotConfigured:
        return NotConfigured("This installation has no key to encrypt under", hint=_HINT)
