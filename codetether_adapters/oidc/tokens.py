"""Access tokens that are JWTs (RFC 9068, RFC 7519): signed by the provider, meant for us, and in force."""

from __future__ import annotations

import json
import warnings
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from datetime import timedelta
from typing import Any, Final

import httpx
from attrs import define
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning

from codetether_adapters.oidc.claims import ClaimMapping, principal_from
from codetether_adapters.oidc.keys import ProviderKeys
from codetether_core.access import Principal
from codetether_core.errors import Unauthenticated
from codetether_core.ports import Clock

__all__ = ["ALGORITHMS", "OidcTokens", "open_oidc_tokens"]

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA", "Ed25519")
"""Never ``none``, and none that a verifier could sign with as well."""

_OTHER_USES: Final = ("ID", "Refresh", "Logout", "Offline")
"""What Keycloak calls tokens that are for something else."""

_LEEWAY: Final = timedelta(seconds=30)
"""By how much clocks may differ."""

_PATIENCE: Final = 5.0


@asynccontextmanager
async def open_oidc_tokens(
    issuer: str, audiences: Sequence[str], clock: Clock, mapping: ClaimMapping | None = None
) -> AsyncIterator[OidcTokens]:
    """Tokens of that issuer for one of those audiences."""
    async with httpx.AsyncClient(timeout=_PATIENCE, follow_redirects=False) as client:
        yield OidcTokens(ProviderKeys(issuer, client), tuple(audiences), clock, mapping or ClaimMapping())


@define(eq=False)
class OidcTokens:
    """Authenticates by the provider's signature (port ``Authenticator``)."""

    keys: ProviderKeys
    _audiences: Sequence[str]
    _clock: Clock
    _mapping: ClaimMapping

    async def authenticate(self, credential: str) -> Principal | None:
        """Who it was issued for; ``None`` for what is no JWT. ``Unauthenticated`` says what is wrong with one.

        ``Unavailable`` if its key is not known, and the provider does not answer.
        """
        header = _header(credential)
        if header is None:
            return None
        if header.get("alg") not in ALGORITHMS:
            raise Unauthenticated(f"The token is not signed by one of {', '.join(ALGORITHMS)}")
        kid = header.get("kid")
        keys = await self.keys.for_key(kid if isinstance(kid, str) else None)
        now = int(self._clock.now().timestamp())
        expected = jwt.JWTClaimsRegistry(
            now=now,
            leeway=int(_LEEWAY.total_seconds()),
            iss={"essential": True, "value": self.keys.issuer},
            aud={"essential": True, "values": list(self._audiences)},
            sub={"essential": True},
            exp={"essential": True},
        )
        try:
            with warnings.catch_warnings(action="ignore", category=SecurityWarning):  # EdDSA is Ed25519's older name
                token = jwt.decode(credential, keys, algorithms=list(ALGORITHMS))
            expected.validate(token.claims)
            if token.claims.get("typ") in _OTHER_USES or str(header.get("typ", "")).lower() == "logout+jwt":
                raise ValueError("it is no access token")
            return principal_from(token.claims, self._mapping)
        except (JoseError, ValueError, TypeError, OverflowError, OSError) as error:
            raise Unauthenticated(f"The token does not count: {_said(error)}", hint="sign in again") from None

    def standing(self, principal: Principal, fall: Callable[[], None]) -> AbstractContextManager[None]:
        """Nothing is taken back before its time."""
        return nullcontext()


def _header(credential: str) -> dict[str, Any] | None:
    """The header of what has the shape of a signed JWT, read without believing it."""
    parts = credential.split(".")
    if len(parts) != 3:
        return None
    try:
        told = json.loads(urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _said(error: Exception) -> str:
    """In the library's words, which have nothing of the token in them."""
    return str(getattr(error, "description", "")) or getattr(error, "error", type(error).__name__)
