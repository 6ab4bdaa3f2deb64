"""Tokens of an OpenID provider, such as Keycloak, and signing in there."""

from codetether_adapters.oidc.asking import configuration_of
from codetether_adapters.oidc.claims import ClaimMapping
from codetether_adapters.oidc.code import Client
from codetether_adapters.oidc.code_sign_in import CodeSignIn
from codetether_adapters.oidc.device import (
    DeviceCode,
    begin_device_sign_in,
    finish_device_sign_in,
    offers_device_codes,
)
from codetether_adapters.oidc.loopback import BrowserSignIn, open_browser_sign_in
from codetether_adapters.oidc.refusals import SignInExpired, SignInRefused, SignInUnknown, SignInUnproven
from codetether_adapters.oidc.sealing import Seal
from codetether_adapters.oidc.tokens import OidcTokens, open_oidc_tokens

__all__ = [
    "BrowserSignIn",
    "ClaimMapping",
    "Client",
    "CodeSignIn",
    "DeviceCode",
    "OidcTokens",
    "Seal",
    "SignInExpired",
    "SignInRefused",
    "SignInUnknown",
    "SignInUnproven",
    "begin_device_sign_in",
    "configuration_of",
    "finish_device_sign_in",
    "offers_device_codes",
    "open_browser_sign_in",
    "open_oidc_tokens",
]
