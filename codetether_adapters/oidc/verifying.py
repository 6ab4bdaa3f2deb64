"""JWTs (RFC 7519) that a provider signed: whether that is so, for whom they are, and whether they are in force."""

from __future__ import annotations

import json
import warnings
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning

from codetether_adapters.oidc.keys import ProviderKeys
from codetether_core.errors import Unauthenticated

__all__ = ["ALGORITHMS", "UNUSABLE", "refusal", "verified"]

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA", "Ed25519")
"""Never ``none``, and none that a verifier could sign with as well."""

UNUSABLE: Final = (JoseError, ValueError, TypeError, OverflowError, OSError)
"""What reading a token, and what is in it, may raise."""

_LEEWAY: Final = timedelta(seconds=30)
"""By how much clocks may differ."""


async def verified(text: str, keys: ProviderKeys, audiences: Sequence[str], now: datetime) -> jwt.Token | None:
    """The token; ``None`` for what is no JWT. ``Unauthenticated`` says what is wrong with one.

    ``Unavailable`` if its key is not known, and the provider does not answer.
    """
    header = _header(text)
    if header is None:
        return None
    if header.get("alg") not in ALGORITHMS:
        raise Unauthenticated(f"The token is not signed by one of {', '.join(ALGORITHMS)}")
    kid = header.get("kid")
    known = await keys.for_key(kid if isinstance(kid, str) else None)
    expected = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=int(_LEEWAY.total_seconds()),
        iss={"essential": True, "value": keys.issuer},
        aud={"essential": True, "values": list(audiences)},
        sub={"essential": True},
        exp={"essential": True},
    )
    try:
        with warnings.catch_warnings(action="ignore", category=SecurityWarning):  # EdDSA is Ed25519's older name
            token = jwt.decode(text, known, algorithms=list(ALGORITHMS))
        expected.validate(token.claims)
    except UNUSABLE as error:
        raise refusal(error) from None
    return token


def refusal(error: Exception) -> Unauthenticated:
    """What is told of a token that is of no use, in the library's words, which have nothing of the token in them."""
    said = str(getattr(error, "description", "")) or getattr(error, "error", type(error).__name__)
    return Unauthenticated(f"The token does not count: {said}", hint="sign in again")


def _header(text: str) -> dict[str, Any] | None:
    """The header of what has the shape of a signed JWT, read without believing it."""
    parts = text.split(".")
    if len(parts) != 3:
        return None
    try:
        told = json.loads(urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None
