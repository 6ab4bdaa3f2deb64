"""The authorization code grant with PKCE (RFC 6749, section 4.1; RFC 7636), as browsers and commands use it alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote_plus

import httpx
from attrs import field, frozen
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from codetether_adapters.oidc.asking import object_in
from codetether_adapters.oidc.refusals import SignInRefused, SignInUnproven

__all__ = ["Client", "begun_at", "check_issuer", "refused", "token_form", "tokens_in"]

_BASIC: Final = "client_secret_basic"
_LONGEST: Final = 300


@frozen(kw_only=True)
class Client:
    """As whom we ask: a confidential client if it has a secret, else a public one."""

    id: str
    secret: str | None = field(default=None, repr=False)

    def form(self, configuration: Mapping[str, Any]) -> Mapping[str, str]:
        """What goes with what it asks."""
        if self.secret is None or self._by_header(configuration):
            return {"client_id": self.id}
        return {"client_id": self.id, "client_secret": self.secret}

    def header(self, configuration: Mapping[str, Any]) -> httpx.Auth:
        """How it proves who it is: as every provider allows, unless this one says otherwise."""
        if self.secret is None or not self._by_header(configuration):
            return httpx.Auth()
        return httpx.BasicAuth(quote_plus(self.id), quote_plus(self.secret))

    @staticmethod
    def _by_header(configuration: Mapping[str, Any]) -> bool:
        return _BASIC in configuration.get("token_endpoint_auth_methods_supported", (_BASIC,))


def begun_at(
    configuration: Mapping[str, Any], client: Client, *, redirect_uri: str, scope: str, verifier: str, **more: str
) -> str:
    """Where the person has to go; ``SignInRefused`` if the provider has no such way."""
    endpoint = configuration.get("authorization_endpoint")
    if not isinstance(endpoint, str) or not isinstance(configuration.get("token_endpoint"), str):
        raise SignInRefused(f"{configuration.get('issuer')} offers no sign-in in a browser", hint="use a token")
    challenge = create_s256_code_challenge(verifier)
    more |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    url: str = prepare_grant_uri(endpoint, client.id, "code", redirect_uri=redirect_uri, scope=scope, **more)
    return url


def check_issuer(configuration: Mapping[str, Any], told: str) -> None:
    """``SignInUnproven`` if another provider answered (RFC 9207): it would get this one's code from us."""
    promised = configuration.get("authorization_response_iss_parameter_supported") is True
    if told != configuration["issuer"] and (told or promised):
        raise SignInUnproven("Another identity provider answered than was asked (iss)", hint="begin again")


def token_form(code: str, redirect_uri: str, verifier: str) -> Mapping[str, str]:
    """What a code is given in for, at the provider's token endpoint."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }


def tokens_in(answer: httpx.Response) -> Mapping[str, Any]:
    """Its tokens; ``SignInRefused`` if it takes that for no code of ours, ``Unavailable`` if it is out of order."""
    told = object_in(answer)
    if answer.is_error or "error" in told:
        raise refused(told.get("error"), told.get("error_description"))
    if not isinstance(told.get("access_token"), str):
        raise SignInUnproven("The identity provider sent no token", hint="begin again")
    return told


def refused(error: object, description: object) -> SignInRefused:
    """What is told of the provider's own words."""
    said = " ".join(str(description or error or "").split())
    words = "".join(each for each in said if each.isprintable())[:_LONGEST]
    return SignInRefused(f"The identity provider refused: {words}", hint="begin again")
