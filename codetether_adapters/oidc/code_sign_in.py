"""Signing in in a browser, with nothing remembered here meanwhile: the browser itself keeps what we have to know."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import field, frozen

from codetether_adapters.oidc.code import Client, begun_at, check_issuer, refused, token_form, tokens_in
from codetether_adapters.oidc.id_token import identified
from codetether_adapters.oidc.refusals import SignInExpired, SignInUnknown, SignInUnproven
from codetether_adapters.oidc.sealing import Seal
from codetether_adapters.oidc.tokens import OidcTokens
from codetether_core.errors import Unauthenticated
from codetether_core.ports import BegunSignIn, Entropy, FinishedSignIn, ProviderAnswer

__all__ = ["CodeSignIn"]

_SCOPES: Final = ("openid", "profile")
_LASTS: Final = timedelta(minutes=10)


@frozen(kw_only=True)
class _Begun:
    """What a sign-in was begun with."""

    redirect_uri: str
    return_to: str
    ends_at: datetime
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@frozen(kw_only=True)
class CodeSignIn:
    """Signs in at the provider of ``tokens`` (port ``ProviderSignIn``); ``scopes`` are asked for besides the usual."""

    tokens: OidcTokens
    client: Client
    seal: Seal
    entropy: Entropy
    scopes: Sequence[str] = ()

    async def begin(self, redirect_uri: str, return_to: str) -> BegunSignIn:
        """At the provider's page."""
        begun = _Begun(
            redirect_uri=redirect_uri,
            return_to=return_to,
            ends_at=self.tokens.clock.now() + _LASTS,
            state=self._random(),
            nonce=self._random(),
            verifier=self._random(),
        )
        url = begun_at(
            await self.tokens.keys.discovery.known(),
            self.client,
            redirect_uri=redirect_uri,
            scope=" ".join(dict.fromkeys((*_SCOPES, *self.scopes))),
            verifier=begun.verifier,
            state=begun.state,
            nonce=begun.nonce,
        )
        return BegunSignIn(url=url, kept=self.seal.close(begun))

    async def finish(self, kept: str | None, answer: ProviderAnswer) -> FinishedSignIn:
        """With the provider's answer, once all of it is as it was asked for."""
        begun = self.seal.open(kept, _Begun) if kept else None
        if begun is None or not hmac.compare_digest(begun.state.encode(), answer.state.encode("utf-8", "replace")):
            raise SignInUnknown("This sign-in was not begun in this browser", hint="begin again, and allow cookies")
        if self.tokens.clock.now() >= begun.ends_at:
            raise SignInExpired("This sign-in was begun too long ago", hint="begin again")
        configuration = await self.tokens.keys.discovery.known()
        check_issuer(configuration, answer.issuer)
        if answer.error or not answer.code:
            raise refused(answer.error or "it sent no code", answer.error_description)
        told = await self._tokens(configuration, token_form(answer.code, begun.redirect_uri, begun.verifier))
        claims = await identified(
            told.get("id_token"),
            told["access_token"],
            self.tokens.keys,
            client_id=self.client.id,
            nonce=begun.nonce,
            now=self.tokens.clock.now(),
        )
        return FinishedSignIn(
            principal=self.tokens.principal({**await self._also(told["access_token"], claims), **claims}),
            return_to=begun.return_to,
        )

    async def _tokens(self, configuration: Mapping[str, Any], form: Mapping[str, str]) -> Mapping[str, Any]:
        client, url = self.client, str(configuration["token_endpoint"])
        form = {**form, **client.form(configuration)}
        return tokens_in(await self.tokens.keys.discovery.post(url, form, client.header(configuration)))

    async def _also(self, access_token: str, claims: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the access token says, if it counts here: Keycloak has roles in there alone, unless told otherwise."""
        try:
            more = await self.tokens.claims(access_token)
        except Unauthenticated:
            return {}
        if more is not None and more["sub"] != claims["sub"]:
            raise SignInUnproven("The identity provider's tokens are not of one person", hint="begin again")
        return more or {}

    def _random(self) -> str:
        return urlsafe_b64encode(self.entropy.bytes(32)).rstrip(b"=").decode()
