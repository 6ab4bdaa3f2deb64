"""What the bearer of a credential shows: ``ct_<id>.<secret>``, with the tenant before the id where it is no default."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from typing import Final

from attrs import frozen

from codetether_core.access.principal import DEFAULT_TENANT
from codetether_core.ids import CredentialId, TenantId

__all__ = ["SECRET_BYTES", "Token"]

SECRET_BYTES: Final = 32

_TEXT: Final = re.compile(r"ct_(?:([a-z0-9][a-z0-9-]{0,62})\.)?([a-z]{3}_[0-9a-z]+)\.([A-Za-z0-9_-]{43})", re.ASCII)


@frozen
class Token:
    """Which credential, and that its bearer is the one who was given it."""

    tenant: TenantId
    id: CredentialId
    secret: str

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

    def __str__(self) -> str:
        tenant = "" if self.tenant == DEFAULT_TENANT else f"{self.tenant}."
        return f"ct_{tenant}{self.id}.{self.secret}"

    def hashed(self, key: bytes) -> str:
        """HMAC-SHA256 (hexadecimal) under the installation's key: a stolen store lets nobody in, nor test a guess."""
        return hmac.new(key, f"credential {self.tenant} {self.id} {self.secret}".encode(), hashlib.sha256).hexdigest()
