"""Tokens of an OpenID provider, such as Keycloak, and signing in there."""

from codetether_adapters.oidc.claims import ClaimMapping
from codetether_adapters.oidc.device import DeviceCode, SignInRefused, begin_device_sign_in, finish_device_sign_in
from codetether_adapters.oidc.tokens import OidcTokens, open_oidc_tokens

__all__ = [
    "ClaimMapping",
    "DeviceCode",
    "OidcTokens",
    "SignInRefused",
    "begin_device_sign_in",
    "finish_device_sign_in",
    "open_oidc_tokens",
]
