"""Identities that others vouch for: tokens of the OpenID provider that the settings name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from codetether_apps.settings import Settings, SettingsError
from codetether_apps.wiring.keeping import keep_running
from codetether_apps.wiring.presence import tell_of_absence
from codetether_core.ports import Authenticator, Clock

__all__ = ["open_identities"]

_LOOK_EVERY = 60.0


@asynccontextmanager
async def open_identities(settings: Settings, clock: Clock) -> AsyncIterator[Sequence[Authenticator]]:
    """Who recognizes them: nobody, where no provider is named. That one is away is told, and keeps nobody waiting."""
    oidc = settings.oidc
    if oidc.issuer is None:
        yield ()
        return
    try:
        from codetether_adapters.oidc import ClaimMapping, open_oidc_tokens
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"oidc.issuer ({settings.origin('oidc.issuer')}) needs the package {error.name}",
            hint="pip install 'codetether-hub[oidc]'",
        ) from None
    mapping = ClaimMapping(roles_at=oidc.role_claims, roles=oidc.roles, tenant_at=oidc.tenant_claim)
    async with open_oidc_tokens(oidc.issuer, oidc.audiences, clock, mapping) as tokens:
        looking = asyncio.create_task(
            keep_running("identity", partial(tell_of_absence, "identity", tokens.keys.ping, every=_LOOK_EVERY))
        )
        try:
            yield (tokens,)
        finally:
            looking.cancel()
            await asyncio.wait([looking])
