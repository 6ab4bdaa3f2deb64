"""A sign-in: a short token for requests, and a longer one that renews both, each time with another.

A renewing token that was used before is no accident of the network after a while: somebody else has it, so that the
sign-in ends for both (RFC 9700, section 4.14.2).
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, field, frozen

from codetether_core.access.credential import TRANSITIONS, Credential, CredentialState, require_active
from codetether_core.access.token import Token
from codetether_core.errors import Unauthenticated

__all__ = ["ACCESS", "SIGN_IN", "VOUCHED", "RenewalSpent", "Secrets", "renew"]

ACCESS: Final = timedelta(hours=1)
"""For how long requests may be made with one token."""

SIGN_IN: Final = timedelta(days=30)
"""After how long a name and password are asked for again."""

VOUCHED: Final = timedelta(hours=12)
"""The same, of who was signed in by an identity provider."""

_RESENT: Final = timedelta(seconds=60)
"""For how long the renewing token before still renews: the answer that brought the present one may have been lost."""


class RenewalSpent(Unauthenticated):
    """The renewing token was used before, and long enough ago: the sign-in has to end."""

    code = "renewal_spent"


@frozen
class Secrets:
    """The hashes of the two tokens of a sign-in."""

    access: str = field(repr=False)
    renewal: str = field(repr=False)


def renew(credential: Credential, token: Token, key: bytes, now: datetime, fresh: Secrets) -> Credential:
    """The sign-in with fresh secrets, if the token is the one that renews it.

    ``RenewalSpent`` for one before it; ``Unauthenticated`` for any other, and for a sign-in that is over.
    """
    shown = token.hashed(key)
    present = hmac.compare_digest(shown, credential.renewal or "")
    before = hmac.compare_digest(shown, credential.spent or "")
    if not present and not before and not token.is_renewing(key):
        raise Unauthenticated("Invalid token")
    require_active(credential)
    if credential.ends_at is None or credential.ends_at <= now:
        raise Unauthenticated("The sign-in is over", hint="sign in again", id=credential.id)
    in_time = before and credential.renewed_at is not None and now < credential.renewed_at + _RESENT
    if not present and not in_time:
        raise RenewalSpent("The token was used before", hint="sign in again", id=credential.id)
    return evolve(
        credential,
        state=TRANSITIONS[CredentialState.ACTIVE, "renew"],
        secret=fresh.access,
        renewal=fresh.renewal,
        spent=credential.renewal,
        renewed_at=now,
        expires_at=min(now + ACCESS, credential.ends_at),
        version=credential.version + 1,
    )
