"""Credentials that we issue and keep: API keys, the tokens of workers, and sign-ins.

The bearer shows a text such as ``ct_key_01k….secret``; kept is a keyed hash of it alone. One is *active* until it is
revoked, and counts from then on as little as one that is past its ``expires_at``.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from attrs import Factory, evolve, field, frozen

from codetether_core.access.principal import Principal
from codetether_core.access.token import Token
from codetether_core.errors import IllegalTransition, Unauthenticated
from codetether_core.ids import CredentialId, TenantId, WorkerId

__all__ = [
    "TRANSITIONS",
    "Credential",
    "CredentialKind",
    "CredentialState",
    "ended_before",
    "principal_of",
    "require_active",
    "revoke",
]


class CredentialKind(StrEnum):
    """What a credential is for; the value is the prefix of its id."""

    API_KEY = "key"
    WORKER = "wrk"
    SIGN_IN = "sgn"


class CredentialState(StrEnum):
    """Where a credential stands."""

    ACTIVE = "active"
    REVOKED = "revoked"


TRANSITIONS: Final[Mapping[tuple[CredentialState, str], CredentialState]] = MappingProxyType(
    {
        (CredentialState.ACTIVE, "renew"): CredentialState.ACTIVE,
        (CredentialState.ACTIVE, "revoke"): CredentialState.REVOKED,
    }
)


@frozen(kw_only=True)
class Credential:
    """What its owner may be recognized by, and what that is good for.

    ``owner`` is the name of the principal that it stands for, ``roles`` those that it had, ``scopes`` what they are
    narrowed to (``None``: nothing). One with a ``worker`` speaks for that worker alone. ``secret`` is the keyed hash.

    A sign-in is renewed with another secret, ``renewal``, until it ``ends_at``; ``spent`` is the one before, given up
    at ``renewed_at``. ``device`` is what its owner called the place, ``provider`` the identity provider that vouched
    for the owner, if one did.
    """

    id: CredentialId
    tenant: TenantId
    kind: CredentialKind
    name: str
    owner: str
    roles: frozenset[str]
    secret: str = field(repr=False)
    created_at: datetime
    scopes: frozenset[str] | None = None
    worker: WorkerId | None = None
    expires_at: datetime | None = None
    renewal: str | None = field(default=None, repr=False)
    spent: str | None = field(default=None, repr=False)
    renewed_at: datetime | None = None
    ends_at: datetime | None = None
    device: Mapping[str, str] = Factory(dict[str, str])
    provider: str | None = None
    revoked_at: datetime | None = None
    state: CredentialState = CredentialState.ACTIVE
    version: int = 1


def revoke(credential: Credential, now: datetime) -> Credential:
    """It no longer counts; ``IllegalTransition`` if that was so already."""
    state = TRANSITIONS.get((credential.state, "revoke"))
    if state is None:
        raise IllegalTransition("credential", credential.id, credential.state, "revoke")
    return evolve(credential, state=state, revoked_at=now, version=credential.version + 1)


def require_active(credential: Credential) -> None:
    """``Unauthenticated`` for one that was revoked."""
    if credential.state is CredentialState.REVOKED:
        raise Unauthenticated("The token was revoked", hint="ask for a new one", id=credential.id)


def ended_before(credential: Credential, moment: datetime) -> bool:
    """Whether it had been of no use to anybody for a while by then."""
    ends = (credential.revoked_at, credential.ends_at or credential.expires_at)
    return any(end is not None and end < moment for end in ends)


def principal_of(credential: Credential, token: Token, key: bytes, now: datetime) -> Principal:
    """Whom its bearer speaks for; ``Unauthenticated`` says what is wrong to nobody but who has the secret."""
    if not hmac.compare_digest(token.hashed(key), credential.secret):
        raise Unauthenticated("Invalid token")
    require_active(credential)
    if credential.expires_at is not None and credential.expires_at <= now:
        raise Unauthenticated("The token has expired", hint="ask for a new one", id=credential.id)
    return Principal(
        name=credential.owner,
        tenant=credential.tenant,
        roles=credential.roles,
        scopes=credential.scopes,
        worker=credential.worker,
        credential=credential.id,
        delegated=credential.kind is not CredentialKind.SIGN_IN,
        expires_at=credential.expires_at,
        provider=credential.provider,
    )
