"""What a provider tells of itself (OpenID Connect Discovery 1.0, section 4)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import httpx
from attrs import define, field

from codetether_core.errors import Unavailable

__all__ = ["Discovery", "away", "document_of"]

_FRESH: Final = 300.0
"""For how many seconds what it told is taken for true."""


@define(eq=False)
class Discovery:
    """The provider whose identifier is ``issuer``."""

    issuer: str
    _client: httpx.AsyncClient
    _told: Mapping[str, Any] = field(factory=dict, init=False)
    _at: float = field(default=float("-inf"), init=False)

    @property
    def told(self) -> Mapping[str, Any]:
        """What it told last, however long ago; nothing before that."""
        return self._told

    async def known(self) -> Mapping[str, Any]:
        """What it told in the last minutes; ``Unavailable``."""
        fresh = asyncio.get_running_loop().time() < self._at + _FRESH
        return self._told if fresh else await self.ask()

    async def ask(self) -> Mapping[str, Any]:
        """What it tells now; ``Unavailable`` if it does not answer, or calls itself otherwise."""
        told = await self.get(document_of(self.issuer))
        if told.get("issuer") != self.issuer:
            raise away(self.issuer, f"it calls itself {told.get('issuer')}")
        self._told, self._at = told, asyncio.get_running_loop().time()
        return told

    async def post(self, url: str, form: Mapping[str, str], auth: httpx.Auth) -> httpx.Response:
        """Its answer to a form, whatever that is; ``Unavailable``."""
        try:
            return await self._client.post(url, data=form, auth=auth)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise away(self.issuer, f"{url}: {error or type(error).__name__}") from error

    async def get(self, url: str) -> Mapping[str, Any]:
        """A JSON object of the provider's; ``Unavailable``."""
        try:
            answer = await self._client.get(url)
            answer.raise_for_status()
            told = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise away(self.issuer, f"{url}: {error or type(error).__name__}") from error
        if not isinstance(told, dict):
            raise away(self.issuer, f"{url} is no JSON object")
        return told


def document_of(issuer: str) -> str:
    """Where it tells."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def away(issuer: str, problem: str) -> Unavailable:
    """What is said of a provider that is of no use now."""
    return Unavailable(
        f"The identity provider {issuer} does not answer as it should: {problem}",
        hint="look at it, and at CODETETHER_OIDC_ISSUER; tokens by keys that are known still count",
    )
