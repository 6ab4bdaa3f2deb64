"""Reading from its key-value store, version 2, and staying signed in for as long as this process lives."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any, Final
from urllib.parse import quote

import httpx
from attrs import Factory, define, field

from codetether_adapters.vault.api import Api, Refused
from codetether_adapters.vault.logins import Grant, Login
from codetether_core.errors import NotFound, PermissionDenied

__all__ = ["VaultSecrets", "open_vault"]

_DUE: Final = 2 / 3
"""The part of a token's time after which it is renewed. One that is renewed for less than half is near its very end."""

_ENOUGH: Final = 1 / 2
_LATER: Final = 60.0
_PATIENCE: Final = 10.0


def _now() -> float:
    return asyncio.get_running_loop().time()


@define(eq=False)
class VaultSecrets:
    """Secrets by ``MOUNT/PATH#FIELD``. Who is signed in stays so while ``keep`` is called every now and then."""

    _api: Api
    _login: Login
    _now: Callable[[], float] = _now
    _grant: Grant | None = field(default=None, init=False, repr=False)
    _due: float = field(default=math.inf, init=False)
    _signing_in: asyncio.Lock = Factory(asyncio.Lock)

    async def read(self, name: str) -> str:
        """The field as it is in the newest version: see ``SecretSource``."""
        place, _, wanted = name.partition("#")
        mount, _, path = place.partition("/")
        grant = await self._granted()
        asked = f"{quote(mount)}/data/{quote(path)}"
        try:
            try:
                told = await self._api.ask("GET", asked, token=grant.token)
            except Refused as error:
                if error.status != 403 or not self._login.again or await self._lives(grant):
                    raise
                told = await self._api.ask("GET", asked, token=(await self._granted(instead_of=grant)).token)
        except Refused as error:
            raise self._no(error, name, asked) from None
        fields = (told.get("data") or {}).get("data") or {}
        if not isinstance(value := fields.get(wanted), str):
            there = f"it has {', '.join(sorted(fields))}" if fields else "it has no fields"
            raise NotFound("secret", name, hint=f"{place} has no text under {wanted}: {there}")
        return value

    async def keep(self) -> None:
        """Renew the token if two thirds of its time are over, or get another one; nothing if it is not time yet."""
        if self._grant is None or self._now() < self._due:
            return
        grant = self._grant
        if grant.renewable and await self._renewed(grant):
            return
        if self._login.again:
            try:
                await self._granted(instead_of=grant)
            except PermissionDenied:
                self._due = self._now() + _LATER
                raise
            return
        self._due = math.inf
        raise PermissionDenied(
            f"The token for the vault at {self._api.address} ends and cannot be renewed",
            hint="give the next start another one; CODETETHER_VAULT_ROLE_ID signs in anew by itself",
        )

    async def _granted(self, instead_of: Grant | None = None) -> Grant:
        async with self._signing_in:
            grant = self._grant
            if grant is None or grant is instead_of:
                grant = self._take(await self._login.sign_in(self._api))
            return grant

    async def _renewed(self, grant: Grant) -> bool:
        try:
            told = await self._api.ask("POST", "auth/token/renew-self", token=grant.token)
        except Refused:
            return False
        renewed = Grant.of(told.get("auth") or {}, grant.token, "lease_duration")
        if renewed.ttl == math.inf or (self._login.again and renewed.ttl < grant.ttl * _ENOUGH):
            return False
        self._take(renewed)
        return True

    async def _lives(self, grant: Grant) -> bool:
        try:
            await self._api.ask("GET", "auth/token/lookup-self", token=grant.token)
        except Refused:
            return False
        return True

    def _take(self, grant: Grant) -> Grant:
        self._grant = grant
        self._due = self._now() + grant.ttl * _DUE
        return grant

    def _no(self, error: Refused, name: str, asked: str) -> NotFound | PermissionDenied:
        if error.status == 404:
            data: Any = error.told.get("data") or {}
            hint = "its newest version is deleted" if data.get("metadata") else error.reason
            return NotFound("secret", name, hint=hint or f"put it there, in a key-value store of version 2: {asked}")
        if error.status == 403:
            hint = f"its policies must let us read {asked}; if they do, the token is over"
            return PermissionDenied(f"The vault at {self._api.address} does not let us read it", hint=hint)
        return PermissionDenied(f"The vault at {self._api.address} refuses: {error}", hint=f"look at {asked}")


@asynccontextmanager
async def open_vault(
    address: str,
    login: Login,
    *,
    namespace: str | None = None,
    verify: SSLContext | bool = True,
    now: Callable[[], float] = _now,
) -> AsyncIterator[VaultSecrets]:
    """The vault at that address; nobody is asked yet."""
    headers = {"X-Vault-Request": "true"} | ({"X-Vault-Namespace": namespace} if namespace else {})
    async with httpx.AsyncClient(headers=headers, verify=verify, timeout=_PATIENCE) as client:
        yield VaultSecrets(Api(address, client), login, now)
