"""How one signs in: with a bearer token always, as the OpenID provider says where there is one, with a certificate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import frozen

from codetether_adapters.a2a.card.profile import Scheme, SchemeKind

__all__ = ["Provider", "schemes"]

_BEARER: Final = {"scheme": "bearer", "description": "A token of this installation, such as an API key (ct_...)."}
_CERTIFICATE: Final = {"description": "A client certificate that this installation knows."}
_DOCUMENT: Final = "/.well-known/openid-configuration"
_IMPLIED: Final = ("authorization_code", "implicit")
"""What a provider grants that does not say (OpenID Connect Discovery 1.0, section 3)."""


@frozen(kw_only=True)
class Provider:
    """An OpenID provider: what it ``told`` of itself, nothing while it has not answered, and the ``scopes`` to want."""

    issuer: str
    told: Mapping[str, Any] = {}
    scopes: tuple[str, ...] = ()


def schemes(provider: Provider | None = None, *, certificates: bool = False) -> tuple[Scheme, ...]:
    """All ways, each of which is enough."""
    found = [Scheme("bearer", SchemeKind.HTTP, _BEARER)]
    if provider is not None:
        url = f"{provider.issuer.rstrip('/')}{_DOCUMENT}"
        told = {"openIdConnectUrl": url, "description": "An access token of this OpenID provider, as a bearer token."}
        found += [Scheme("oidc", SchemeKind.OPEN_ID, told), *_flows(provider)]
    if certificates:
        found.append(Scheme("mtls", SchemeKind.MUTUAL_TLS, _CERTIFICATE))
    return tuple(found)


def _flows(provider: Provider) -> Iterator[Scheme]:
    """A scheme for each, since release 1.0 knows one flow in a scheme."""
    told, granted = provider.told, provider.told.get("grant_types_supported", _IMPLIED)
    token, code, device = (
        told.get(name) for name in ("token_endpoint", "authorization_endpoint", "device_authorization_endpoint")
    )
    if not isinstance(token, str):
        return
    scopes = {scope: f"What the provider calls {scope}" for scope in provider.scopes}
    common = {"tokenUrl": token, "scopes": {"openid": "Who you are", **scopes}}
    if isinstance(code, str) and "authorization_code" in granted:
        flow = {"authorizationUrl": code, **common, "pkceRequired": True}
        yield _oauth2("oauth2_authorization_code", "authorizationCode", flow)
    if isinstance(device, str):
        yield _oauth2("oauth2_device_code", "deviceCode", {"deviceAuthorizationUrl": device, **common})
    if "client_credentials" in granted:
        yield _oauth2("oauth2_client_credentials", "clientCredentials", common)


def _oauth2(name: str, flow: str, told: Mapping[str, Any]) -> Scheme:
    return Scheme(name, SchemeKind.OAUTH2, {"flows": {flow: told}})
