"""Encrypting values of a tenant: ``ct1.<data key>.<what is encrypted, in base64url>``."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from attrs import frozen

from codetether_core.errors import Undecipherable
from codetether_core.ids import TenantId, framed
from codetether_core.ports import NONCE_BYTES, Cipher, Entropy
from codetether_core.services.data_keys import DataKeys

__all__ = ["Encryption"]

_SEALED: Final = re.compile(r"ct1\.([a-z0-9-]{1,64})\.([A-Za-z0-9_=-]+)", re.ASCII)


@frozen
class Encryption:
    """Encrypts under the tenant's last data key, and reads what any of them encrypted."""

    keys: DataKeys
    cipher: Cipher
    entropy: Entropy

    async def encrypt(self, tenant: TenantId, clear: bytes, *context: str) -> str:
        """The text to keep; ``context`` says what it is, and by which ids where it belongs.

        ``NotConfigured`` if there is no key of the installation.
        """
        key = await self.keys.last(tenant)
        bound = framed(tenant, key.id, *context)
        sealed = self.cipher.encrypt(key.key, clear, bound, self.entropy.bytes(NONCE_BYTES))
        return f"ct1.{key.id}.{urlsafe_b64encode(sealed).decode()}"

    async def decrypt(self, tenant: TenantId, sealed: str, *context: str) -> bytes:
        """What was encrypted for this tenant and context.

        ``Undecipherable`` if it was not, or was changed; ``NotConfigured`` names a key that the installation lacks.
        """
        match = _SEALED.fullmatch(sealed)
        if match is None:
            raise Undecipherable("What should be encrypted here is not", hint="restore it from a backup")
        id, text = match.groups()
        key = await self.keys.get(tenant, id)
        try:
            secret = urlsafe_b64decode(text)
        except ValueError:
            secret = b""  # which is no more sound than what was changed otherwise
        return self.cipher.decrypt(key.key, secret, framed(tenant, id, *context))
