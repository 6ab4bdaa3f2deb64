"""Settings to what the agent card says, and to the keys that sign it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, Final

from codetether_adapters.a2a.card import Cards, Extension, Interface, Profile, Provider, schemes
from codetether_adapters.a2a.card.skills import PUBLIC
from codetether_adapters.a2a.hitl import HITL
from codetether_adapters.a2a.records import SEQUENCE
from codetether_adapters.a2a_wire import IDEMPOTENCY
from codetether_adapters.signing import DetachedEs256
from codetether_apps.settings import Settings
from codetether_apps.wiring.a2a.http_json import REST
from codetether_apps.wiring.a2a.json_rpc import RPC
from codetether_apps.wiring.credentials import installation_key
from codetether_core.ports import Authorizer
from codetether_core.services import Services

__all__ = ["INTERFACES", "open_cards", "profile_of"]

INTERFACES: Final = (
    Interface(RPC, "JSONRPC", "1.0"),
    Interface(REST, "HTTP+JSON", "1.0"),
    Interface(RPC, "JSONRPC", "0.3"),
)
"""Where the protocol is spoken: the first is preferred."""

_EXTENSIONS: Final = (
    Extension(SEQUENCE, "Every event of a stream says which of its task's records it is, so that none can be missed."),
    Extension(IDEMPOTENCY, "A message that is sent again with its Idempotency-Key has been sent once."),
    Extension(HITL, "What an agent asks, and how it is answered, as data."),
)
_PURPOSE: Final = b"agent card"


def open_cards(
    settings: Settings,
    services: Services,
    policy: Authorizer,
    told: Callable[[], Mapping[str, Any]] = dict,
) -> Cards:
    """The cards; ``told`` tells what the OpenID provider told of itself, where there is one."""
    return Cards(
        services=services,
        authorizer=policy,
        profile=lambda: profile_of(settings, told(), push=services.webhook_keeping.possible),
        pure=settings.server.pure_card,
        signer=_signer(settings),
    )


def profile_of(settings: Settings, told: Mapping[str, Any], *, push: bool = False) -> Profile:
    """What the public card says by these settings; ``push`` if webhooks are kept."""
    oidc, auth = settings.oidc, settings.auth
    provider = Provider(issuer=oidc.issuer, told=told, scopes=oidc.scopes) if oidc.issuer else None
    return Profile(
        version=version("codetether-hub"),
        interfaces=INTERFACES,
        skills=PUBLIC,
        schemes=schemes(provider, certificates=bool(auth.client_certificates)) if auth.enabled else (),
        extensions=_EXTENSIONS,
        push=push,
    )


def _signer(settings: Settings) -> DetachedEs256 | None:
    if settings.server.public_url is None:
        return None
    given, derived = settings.auth.card_keys, installation_key(settings)
    if given:
        return DetachedEs256([(each.id, each.key) for each in given], _PURPOSE)
    return DetachedEs256([("", derived)], _PURPOSE) if derived else None
