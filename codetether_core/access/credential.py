"""Credentials that we issue and keep: API keys, and the tokens of workers.

The bearer shows a text such as ``ct_key_01k….secret``; kept is a keyed hash of it alone. One is *active* until it is
revoked, and counts from then on as little as one that is past its ``expires_at``.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from attrs import evolve, frozen

from codetether_core.access.principal import DEFAULT_TENANT, Principal
from codetether_core.errors import IllegalTransition, Unauthenticated
from codetether_core.ids import CredentialId, TenantId, WorkerId

__all__ = ["TRANSITIONS", "Credential", "CredentialKind", "CredentialState", "Token", "principal_of", "revoke"]

_TEXT: Final = re.compile(r"ct_(?:([a-z0-9][a-z0-9-]{0,62})\.)?([a-z]{3}_[0-9a-z]+)\.([A-Za-z0-9_-]{43})", re.ASCII)


class CredentialKind(StrEnum):
    """What a credential is for; the value is the prefix of its id."""

    API_KEY = "key"
    WORKER = "wrk"


class CredentialState(StrEnum):
    """Where a credential stands."""

    ACTIVE = "active"
    REVOKED = "revoked"


TRANSITIONS: Final[Mapping[tuple[CredentialState, str], CredentialState]] = MappingProxyType(
    {(CredentialState.ACTIVE, "revoke"): CredentialState.REVOKED}
)


@frozen(kw_only=True)
class Credential:
    """What its owner may be recognized by, and what that is good for.

    ``owner`` is the name of the principal that it stands for, ``roles`` those that it had, ``scopes`` what they are
    narrowed to (``None``: nothing). One with a ``worker`` speaks for that worker alone. ``secret`` is the keyed hash.
    """

    id: CredentialId
    tenant: TenantId
    kind: CredentialKind
    name: str
    owner: str
    roles: frozenset[str]
    secret: str
    created_at: datetime
    scopes: frozenset[str] | None = None
    worker: WorkerId | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    state: CredentialState = CredentialState.ACTIVE
    version: int = 1


@frozen
class Token:
    """What the bearer shows: which credential, and that it is the one who was given it."""

    tenant: TenantId
    id: CredentialId
    secret: str

    @classmethod
    def new(cls, tenant: TenantId, id: CredentialId, random: bytes) -> Token:
        """One with that secret, 32 bytes of entropy."""
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


def revoke(credential: Credential, now: datetime) -> Credential:
    """It no longer counts; ``IllegalTransition`` if that was so already."""
    state = TRANSITIONS.get((credential.state, "revoke"))
    if state is None:
        raise IllegalTransition("credential", credential.id, credential.state, "revoke")
    return evolve(credential, state=state, revoked_at=now, version=credential.version + 1)


def principal_of(credential: Credential, token: Token, key: bytes, now: datetime) -> Principal:
    """Whom its bearer speaks for; ``Unauthenticated`` says what is wrong to nobody but who has the secret."""
    if not hmac.compare_digest(token.hashed(key), credential.secret):
        raise Unauthenticated("Invalid token")
    if credential.state is CredentialState.REVOKED:
        raise Unauthenticated("The token was revoked", hint="ask for a new one", id=credential.id)
    if credential.expires_at is not None and credential.expires_at <= now:
        raise Unauthenticated("The token has expired", hint="ask for a new one", id=credential.id)
    return Principal(
        name=credential.owner,
        tenant=credential.tenant,
        roles=credential.roles,
        scopes=credential.scopes,
        worker=credential.worker,
        credential=credential.id,
        expires_at=credential.expires_at,
    )
