"""Records that one process keeps for itself, encrypted under the installation's key: ``ct1.<key>.<base64url>``."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from attrs import frozen

from codetether_core.errors import Undecipherable
from codetether_core.ports import NONCE_BYTES, Cipher, Entropy
from codetether_core.services.no_cipher import NoCipher

__all__ = ["Envelope"]

_SEALED: Final = re.compile(r"ct1\.([^.]+)\.([A-Za-z0-9_=-]+)", re.ASCII)


@frozen
class Envelope:
    """Closes and opens texts of JSON, which are never taken for closed ones. Without a key they stay as they are."""

    cipher: Cipher
    entropy: Entropy | None = None

    @classmethod
    def open_to_all(cls) -> Envelope:
        """One without a key."""
        return cls(NoCipher())

    def seal(self, clear: str, context: str) -> str:
        """The text to keep; ``context`` says what it is."""
        if self.entropy is None:
            return clear
        sealed = self.cipher.wrap(clear.encode("utf-8", "replace"), context.encode(), self.entropy.bytes(NONCE_BYTES))
        return f"ct1.{self.cipher.key_id}.{urlsafe_b64encode(sealed).decode()}"

    def open(self, kept: str, context: str) -> str:
        """The clear text. ``NotConfigured`` names the key that is missing, ``Undecipherable`` if it was changed."""
        match = _SEALED.fullmatch(kept)
        if match is None:
            return kept
        key, text = match.groups()
        try:
            sealed = urlsafe_b64decode(text)
        except ValueError:
            raise Undecipherable("What is encrypted here was changed") from None
        return self.cipher.unwrap(key, sealed, context.encode()).decode()
