"""Access tokens that are JWTs (RFC 9068): signed by the provider, meant for us, and in force."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Any, Final

import httpx
from attrs import define

from codetether_adapters.oidc.claims import ClaimMapping, principal_from
from codetether_adapters.oidc.discovery import Discovery
from codetether_adapters.oidc.keys import ProviderKeys
from codetether_adapters.oidc.verifying import UNUSABLE, refusal, verified
from codetether_core.access import Principal
from codetether_core.ports import Clock

__all__ = ["OidcTokens", "open_oidc_tokens"]

_OTHER_USES: Final = ("ID", "Refresh", "Logout", "Offline")
"""What Keycloak calls tokens that are for something else."""

_PATIENCE: Final = 5.0


@asynccontextmanager
async def open_oidc_tokens(
    issuer: str, audiences: Sequence[str], clock: Clock, mapping: ClaimMapping | None = None
) -> AsyncIterator[OidcTokens]:
    """Tokens of that issuer for one of those audiences."""
    async with httpx.AsyncClient(timeout=_PATIENCE, follow_redirects=False) as client:
        keys = ProviderKeys(Discovery(issuer, client))
        yield OidcTokens(keys, clock, mapping or ClaimMapping(), tuple(audiences))


@define(eq=False)
class OidcTokens:
    """Authenticates by the provider's signature (port ``Authenticator``)."""

    keys: ProviderKeys
    clock: Clock
    mapping: ClaimMapping
    _audiences: Sequence[str]

    async def authenticate(self, credential: str) -> Principal | None:
        """Who it was issued for; ``None`` for what is no JWT. ``Unauthenticated`` says what is wrong with one.

        ``Unavailable`` if its key is not known, and the provider does not answer.
        """
        claims = await self.claims(credential)
        return None if claims is None else self.principal(claims)

    async def claims(self, credential: str) -> Mapping[str, Any] | None:
        """What it says; the same refusals."""
        token = await verified(credential, self.keys, self._audiences, self.clock.now())
        if token is None:
            return None
        if token.claims.get("typ") in _OTHER_USES or str(token.header.get("typ", "")).lower() == "logout+jwt":
            raise refusal(ValueError("it is no access token"))
        return token.claims

    def principal(self, claims: Mapping[str, Any]) -> Principal:
        """Who that is; ``Unauthenticated`` if it is nobody."""
        try:
            return principal_from(claims, self.mapping)
        except UNUSABLE as error:
            raise refusal(error) from None

    def standing(self, principal: Principal, fall: Callable[[], None]) -> AbstractContextManager[None]:
        """Nothing is taken back before its time."""
        return nullcontext()
