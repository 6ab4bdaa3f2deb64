"""Identities that others vouch for: the OpenID provider that the settings name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from codetether_adapters.http import IdentityProvider
from codetether_adapters.system import SystemEntropy
from codetether_apps.settings import Settings, SettingsError
from codetether_apps.wiring.keeping import keep_running
from codetether_apps.wiring.presence import tell_of_absence
from codetether_core.ports import Authenticator, Clock

__all__ = ["open_identities"]

_LOOK_EVERY = 60.0


@asynccontextmanager
async def open_identities(
    settings: Settings, clock: Clock, key: bytes | None
) -> AsyncIterator[tuple[IdentityProvider, Authenticator] | None]:
    """The provider, and who recognizes its tokens; ``None`` where none is named.

    That it is away is told, and keeps nobody waiting. Without the installation's ``key`` browsers cannot sign in.
    """
    oidc = settings.oidc
    if oidc.issuer is None:
        yield None
        return
    try:
        from codetether_adapters.oidc import ClaimMapping, Client, CodeSignIn, Seal, open_oidc_tokens
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"oidc.issuer ({settings.origin('oidc.issuer')}) needs the package {error.name}",
            hint="pip install 'codetether-hub[oidc]'",
        ) from None
    mapping = ClaimMapping(roles_at=oidc.role_claims, roles=oidc.roles, tenant_at=oidc.tenant_claim)
    web = Client(id=oidc.web_client_id or oidc.client_id, secret=oidc.client_secret)
    async with open_oidc_tokens(oidc.issuer, oidc.audiences, clock, mapping) as tokens:
        looking = asyncio.create_task(
            keep_running("identity", partial(tell_of_absence, "identity", tokens.keys.ping, every=_LOOK_EVERY))
        )
        sign_in = (
            CodeSignIn(tokens=tokens, client=web, seal=Seal(key), entropy=SystemEntropy(), scopes=oidc.scopes)
            if key
            else None
        )
        try:
            yield IdentityProvider(issuer=oidc.issuer, client_id=oidc.client_id, sign_in=sign_in), tokens
        finally:
            looking.cancel()
            await asyncio.wait([looking])
