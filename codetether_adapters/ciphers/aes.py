"""AES-256: GCM-SIV (RFC 8452) as nonce, what is encrypted, tag; SIV (RFC 5297) where equals are to be seen.

Nobody counts what is encrypted under one key. With GCM two values of one nonce would let others forge more, so that no
more than 2**32 values could have random ones of 96 bits; with GCM-SIV they tell nothing but whether both are the same
value in the same context, and it takes some 2**48 values until two meet. SIV is sound for 2**48 blocks: 4 PiB of blobs
under one data key.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from codetether_adapters.ciphers.derived_key import DERIVED
from codetether_core.errors import NotConfigured, Undecipherable
from codetether_core.ports import NONCE_BYTES

__all__ = ["Aes"]

_SIV_BYTES: Final = 64
_SETTING: Final = "CODETETHER_ENCRYPTION_KEYS"


class Aes:
    """Encrypts under the first of the installation's keys, and reads what any of them encrypted (a ``Cipher``)."""

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        self._keys = dict(keys)
        self.key_id = keys[0][0]
        self.key_ids = tuple(self._keys)

    def wrap(self, data_key: bytes, context: bytes, nonce: bytes) -> bytes:
        """Under the first."""
        return self.encrypt(self._keys[self.key_id], data_key, context, nonce)

    def unwrap(self, key_id: str, wrapped: bytes, context: bytes) -> bytes:
        """By its name."""
        key = self._keys.get(key_id)
        if key is None:
            raise _missing(key_id)
        try:
            return self.decrypt(key, wrapped, context)
        except Undecipherable:
            raise Undecipherable(
                f"What is encrypted with the key {key_id} was changed, or is encrypted with another of that name",
                hint=f"{_SETTING} must have the key that had this name; if it has, restore from a backup",
                key=key_id,
            ) from None

    def encrypt(self, data_key: bytes, clear: bytes, context: bytes, nonce: bytes) -> bytes:
        """28 bytes longer."""
        return nonce + _under(data_key).encrypt(nonce, clear, context)

    def decrypt(self, data_key: bytes, sealed: bytes, context: bytes) -> bytes:
        """Nothing of it unless all of it is sound."""
        try:
            return _under(data_key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            raise _changed() from None

    def encrypt_alike(self, data_key: bytes, clear: bytes, context: bytes) -> bytes:
        """16 bytes longer. ``clear`` is not empty."""
        return _alike_under(data_key).encrypt(clear, [context])

    def decrypt_alike(self, data_key: bytes, sealed: bytes, context: bytes) -> bytes:
        """Nothing of it unless all of it is sound."""
        try:
            return _alike_under(data_key).decrypt(sealed, [context])
        except (InvalidTag, ValueError):
            raise _changed() from None


@lru_cache(maxsize=256)
def _under(key: bytes) -> AESGCMSIV:
    """Preparing a key takes longer than encrypting a short text."""
    try:
        return AESGCMSIV(key)
    except UnsupportedAlgorithm:
        raise NotConfigured(
            "The cryptography package was built here with an OpenSSL before 3.2, which knows no AES-GCM-SIV",
            hint="install its wheel instead: pip install --force-reinstall --only-binary :all: cryptography",
        ) from None


@lru_cache(maxsize=256)
def _alike_under(key: bytes) -> AESSIV:
    """With a key of its own: one is for one algorithm."""
    return AESSIV(HKDF(SHA256(), _SIV_BYTES, salt=None, info=b"codetether equal values").derive(key))


def _changed() -> Undecipherable:
    hint = "restore it from a backup; the audit trail may tell what happened"
    return Undecipherable("What is encrypted here was changed, or belongs elsewhere", hint=hint)


def _missing(key_id: str) -> NotConfigured:
    if key_id.startswith(DERIVED):
        hint = "set CODETETHER_SECRET_KEY to what it was, or restore the file secret-key of the data directory"
    else:
        hint = f"add {key_id}:… to {_SETTING}"
    return NotConfigured(f"The key {key_id} is missing, which something here is encrypted with", hint=hint, key=key_id)
