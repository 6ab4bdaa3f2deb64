"""What the bearer of a credential shows: ``ct_<id>.<secret>``, with the tenant before the id where it is no default."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from attrs import field, frozen

from codetether_core.access.principal import DEFAULT_TENANT
from codetether_core.ids import CredentialId, TenantId

__all__ = ["RENEWING_BYTES", "SECRET_BYTES", "Token"]

SECRET_BYTES: Final = 32
RENEWING_BYTES: Final = SECRET_BYTES // 2

_TEXT: Final = re.compile(r"ct_(?:([a-z0-9][a-z0-9-]{0,62})\.)?([a-z]{3}_[0-9a-z]+)\.([A-Za-z0-9_-]{43})", re.ASCII)


@frozen
class Token:
    """Which credential, and that its bearer is the one who was given it."""

    tenant: TenantId
    id: CredentialId
    secret: str = field(repr=False)

    @classmethod
    def new(cls, tenant: TenantId, id: CredentialId, random: bytes) -> Token:
        """One with that secret, ``SECRET_BYTES`` of entropy."""
        return cls(tenant, id, urlsafe_b64encode(random).rstrip(b"=").decode())

    @classmethod
    def parse(cls, text: str) -> Token | None:
        """What a text names; ``None`` if it is no token of ours."""
        match = _TEXT.fullmatch(text)
        if match is None:
            return None
        tenant, id, secret = match.groups()
        return cls(DEFAULT_TENANT if tenant is None else TenantId(tenant), CredentialId(id), secret)

    @classmethod
    def renewing(cls, tenant: TenantId, id: CredentialId, random: bytes, key: bytes) -> Token:
        """One that renews a sign-in, of ``RENEWING_BYTES`` of entropy: the rest of its secret proves that it was made
        here, also when it is used up.
        """
        return cls.new(tenant, id, random + _proof(tenant, id, random, key))

    def is_renewing(self, key: bytes) -> bool:
        """Whether it was made to renew, whenever."""
        secret = urlsafe_b64decode(f"{self.secret}=")
        return hmac.compare_digest(secret[RENEWING_BYTES:], _proof(self.tenant, self.id, secret[:RENEWING_BYTES], key))

    def __str__(self) -> str:
        tenant = "" if self.tenant == DEFAULT_TENANT else f"{self.tenant}."
        return f"ct_{tenant}{self.id}.{self.secret}"

    def hashed(self, key: bytes) -> str:
        """HMAC-SHA256 (hexadecimal) under the installation's key: a stolen store lets nobody in, nor test a guess."""
        return hmac.new(key, f"credential {self.tenant} {self.id} {self.secret}".encode(), hashlib.sha256).hexdigest()


def _proof(tenant: TenantId, id: CredentialId, random: bytes, key: bytes) -> bytes:
    return hmac.new(key, f"renewal {tenant} {id} {random.hex()}".encode(), hashlib.sha256).digest()[:RENEWING_BYTES]
