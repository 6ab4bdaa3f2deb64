"""Tokens of an OpenID provider, such as Keycloak."""

from codetether_adapters.oidc.claims import ClaimMapping
from codetether_adapters.oidc.tokens import OidcTokens, open_oidc_tokens

__all__ = ["ClaimMapping", "OidcTokens", "open_oidc_tokens"]
