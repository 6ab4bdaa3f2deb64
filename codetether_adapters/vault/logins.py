"""Ways to sign in: with a token, as an application by role (AppRole), as a pod by its service account (Kubernetes)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from attrs import field, frozen

from codetether_adapters.vault.api import Api, Refused
from codetether_core.errors import PermissionDenied

__all__ = ["AppRole", "GivenToken", "Grant", "Kubernetes", "Login"]


@frozen
class Grant:
    """A token, for how many seconds it is good, and whether it may be renewed."""

    token: str = field(repr=False)
    ttl: float
    renewable: bool

    @classmethod
    def of(cls, told: Mapping[str, Any], token: str, ttl: str) -> Grant:
        """What the vault says of it; one without a time to live is good for ever."""
        seconds = float(told.get(ttl) or math.inf)
        return cls(token, seconds, bool(told.get("renewable")) and seconds < math.inf)


class Login(Protocol):
    """One way. ``again`` says whether it leads to another token when one is over."""

    @property
    def again(self) -> bool: ...

    async def sign_in(self, api: Api) -> Grant:
        """A token; ``PermissionDenied``, ``Unavailable``."""
        ...


@frozen
class GivenToken:
    """A token that somebody else got."""

    token: str = field(repr=False)
    again = False

    async def sign_in(self, api: Api) -> Grant:
        if not (self.token.isascii() and self.token.isprintable()):
            raise PermissionDenied(
                "The token for the vault has characters that no token has", hint="look at CODETETHER_VAULT_TOKEN"
            )
        try:
            told = await api.ask("GET", "auth/token/lookup-self", token=self.token)
        except Refused:  # it is over, or may not even ask this: reading will tell
            return Grant(self.token, math.inf, renewable=False)
        return Grant.of(told.get("data") or {}, self.token, "ttl")


@frozen
class AppRole:
    """A role with its secret, if it has one."""

    role_id: str = field(repr=False)
    secret_id: str | None = field(repr=False)
    mount: str = "approle"
    again = True

    async def sign_in(self, api: Api) -> Grant:
        secret = {} if self.secret_id is None else {"secret_id": self.secret_id}
        hint = "look at CODETETHER_VAULT_ROLE_ID and CODETETHER_VAULT_SECRET_ID, whose uses may be over"
        return await _signed_in(api, self.mount, "AppRole", hint, role_id=self.role_id, **secret)


@frozen
class Kubernetes:
    """A role for the service account whose token is in the file, which is read anew each time: it changes."""

    role: str
    file: Path
    mount: str = "kubernetes"
    again = True

    async def sign_in(self, api: Api) -> Grant:
        try:
            token = self.file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            problem = error.strerror if isinstance(error, OSError) else "it is not text"
            raise PermissionDenied(
                f"The token of the service account in {self.file} cannot be read: {problem}",
                hint="mount it into the pod, or name it with CODETETHER_VAULT_KUBERNETES_TOKEN",
            ) from None
        hint = "look at CODETETHER_VAULT_KUBERNETES_ROLE, and at which service accounts that role is for"
        return await _signed_in(api, self.mount, "Kubernetes", hint, role=self.role, jwt=token)


async def _signed_in(api: Api, mount: str, way: str, hint: str, **proof: str) -> Grant:
    try:
        told = await api.ask("POST", f"auth/{mount}/login", **proof)
    except Refused as error:
        raise PermissionDenied(
            f"The vault at {api.address} does not let us in by {way} at auth/{mount}: {error}", hint=hint
        ) from None
    auth = told.get("auth") or {}
    if not isinstance(token := auth.get("client_token"), str):
        raise api.away("let us in without a token")
    return Grant.of(auth, token, "lease_duration")
