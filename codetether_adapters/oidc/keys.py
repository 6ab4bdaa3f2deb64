"""A provider's signing keys: found by discovery, kept, and asked for anew.

A token with a key that is not known has the keys fetched again, though not for every token that a stranger makes up. A
provider that is away costs nobody who has a token by a known key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import Factory, define, field
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from codetether_adapters.oidc.discovery import Discovery, away
from codetether_core.errors import Unavailable

__all__ = ["ProviderKeys"]

_ASYMMETRIC: Final = ("RSA", "EC", "OKP")
"""A secret that the provider publishes is none: symmetric keys are left out."""

_FRESH: Final = 300.0
_AGAIN: Final = 5.0
"""Seconds after which keys are asked for anew: in any case, and when one is not known."""


def _now() -> float:
    return asyncio.get_running_loop().time()


@define(eq=False)
class ProviderKeys:
    """The keys of a provider."""

    discovery: Discovery
    _now: Callable[[], float] = _now
    _keys: KeySet | None = field(default=None, init=False)
    _ids: frozenset[str] = field(default=frozenset(), init=False)
    _fetched: float = field(default=float("-inf"), init=False)
    _tried: float = field(default=float("-inf"), init=False)
    _fetching: asyncio.Lock = Factory(asyncio.Lock)

    @property
    def issuer(self) -> str:
        """The provider's identifier."""
        return self.discovery.issuer

    async def for_key(self, id: str | None) -> KeySet:
        """The keys, with that one if the provider has it; ``Unavailable`` if it does not answer and that is unknown."""
        if self._keys is not None and self._suffice(id):
            return self._keys
        async with self._fetching:
            if self._keys is None or not self._suffice(id):
                await self._fetch(id)
        if self._keys is None:
            raise away(self.issuer, "its keys were never had")
        return self._keys

    async def ping(self) -> None:
        """Return if the provider answers; ``Unavailable``."""
        async with self._fetching:
            self._take(await self._ask())

    def _suffice(self, id: str | None) -> bool:
        now = self._now()
        if id is not None and id not in self._ids:
            return now < self._tried + _AGAIN
        return now < self._fetched + _FRESH or now < self._tried + _AGAIN

    async def _fetch(self, id: str | None) -> None:
        self._tried = self._now()
        try:
            self._take(await self._ask())
        except Unavailable:
            if self._keys is None or (id is not None and id not in self._ids):
                raise

    async def _ask(self) -> Mapping[str, Any]:
        told = await self.discovery.ask()
        return await self.discovery.get(str(told.get("jwks_uri")))

    def _take(self, told: Mapping[str, Any]) -> None:
        keys = [key for key in told.get("keys", ()) if isinstance(key, dict) and key.get("kty") in _ASYMMETRIC]
        try:
            self._keys = KeySet.import_key_set({"keys": keys})
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise away(self.issuer, f"its keys cannot be read: {error}") from error
        self._ids = frozenset(str(key["kid"]) for key in keys if "kid" in key)
        self._fetched = self._tried = self._now()
