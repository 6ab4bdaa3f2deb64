"""Identities that others vouch for: the OpenID provider that the settings name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from attrs import frozen

from codetether_adapters.http import IdentityProvider
from codetether_adapters.system import SystemEntropy
from codetether_apps.settings import Settings, SettingsError
from codetether_apps.wiring.keeping import keep_running
from codetether_apps.wiring.presence import tell_of_absence
from codetether_core.ports import Authenticator, Clock

__all__ = ["Vouching", "open_identities"]

_LOOK_EVERY = 60.0


@frozen
class Vouching:
    """The provider, who recognizes its tokens, and what it told of itself, nothing while it has not answered."""

    provider: IdentityProvider
    tokens: Authenticator
    told: Callable[[], Mapping[str, Any]]


@asynccontextmanager
async def open_identities(settings: Settings, clock: Clock, key: bytes | None) -> AsyncIterator[Vouching | None]:
    """The provider that the settings name; ``None`` where they name none.

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
            provider = IdentityProvider(issuer=oidc.issuer, client_id=oidc.client_id, sign_in=sign_in)
            yield Vouching(provider, tokens, lambda: tokens.keys.discovery.told)
        finally:
            looking.cancel()
            await asyncio.wait([looking])
