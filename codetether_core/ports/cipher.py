"""Ciphers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Protocol

__all__ = ["DATA_KEY_BYTES", "NONCE_BYTES", "Cipher"]

DATA_KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


class Cipher(Protocol):
    """Encrypts values under data keys, and data keys under the installation's keys (AES-256-GCM-SIV).

    A ``context`` says what is encrypted and where it belongs: it is not kept, and has to be the same when that is read.
    A ``nonce`` is ``NONCE_BYTES`` of entropy, drawn anew for every value; that one comes twice does no harm, however
    many values there are under a key.
    """

    @property
    def key_id(self) -> str:
        """The name of the installation's key that data keys are encrypted under from now on; empty if it has none."""
        ...

    @property
    def key_ids(self) -> Collection[str]:
        """The names of all the installation's keys."""
        ...

    def wrap(self, data_key: bytes, context: bytes, nonce: bytes) -> bytes:
        """A data key, encrypted under that key; ``NotConfigured`` if there is none."""
        ...

    def unwrap(self, key_id: str, wrapped: bytes, context: bytes) -> bytes:
        """The data key, which was encrypted under the key of that name.

        ``NotConfigured`` names the key if the installation does not have it, ``Undecipherable`` if it is another one.
        """
        ...

    def encrypt(self, data_key: bytes, clear: bytes, context: bytes, nonce: bytes) -> bytes:
        """The bytes, encrypted under a data key."""
        ...

    def encrypt_alike(self, data_key: bytes, clear: bytes, context: bytes) -> bytes:
        """The same of the same bytes in the same context, so that who has it twice sees that (AES-SIV, RFC 5297)."""
        ...

    def decrypt_alike(self, data_key: bytes, sealed: bytes, context: bytes) -> bytes:
        """The clear bytes of that; ``Undecipherable``."""
        ...

    def decrypt(self, data_key: bytes, sealed: bytes, context: bytes) -> bytes:
        """The clear bytes; ``Undecipherable`` if they were changed, belong elsewhere or are under another key."""
        ...
