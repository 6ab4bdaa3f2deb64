"""Who you are to the server: signing in and out, and the accounts of others for who administers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from codetether_adapters.client.identity_views import AccountView, SignedInView
from codetether_adapters.client.operations import M, Resource, operation
from codetether_adapters.client.requests import AUTH, Request, an_object, many, nothing, one, path

__all__ = ["Accounts", "Identity"]


class Identity(Resource[M]):
    """``client.identity``."""

    @operation
    async def sign_in(
        self, username: str, password: str, *, tenant: str | None = None, device: str | None = None
    ) -> SignedInView:
        """Tokens for a name and a password; ``access_token`` is for requests, and for a client that makes them."""
        body = {"username": username, "password": password, "tenant_id": tenant, "device_name": device}
        return await self._send(
            Request(method="POST", path=f"{AUTH}/login", body=body, read=one(SignedInView), repeatable=False)
        )

    @operation
    async def ways(self) -> Mapping[str, Any]:
        """How one can sign in."""
        return await self._send(Request(method="GET", path=f"{AUTH}/status", read=an_object))

    @operation
    async def exchange(self, *, device: str | None = None) -> SignedInView:
        """Tokens in place of that of an identity provider, which this client shows."""
        body = {"device_name": device}
        return await self._send(
            Request(method="POST", path=f"{AUTH}/exchange", body=body, read=one(SignedInView), repeatable=False)
        )

    @operation
    async def refresh(self, refresh_token: str) -> SignedInView:
        """Both tokens anew; the old ones are no good any more."""
        body = {"refresh_token": refresh_token}
        return await self._send(Request(method="POST", path=f"{AUTH}/refresh", body=body, read=one(SignedInView)))

    @operation
    async def sign_out(self) -> None:
        """The sign-in whose token this client shows ends."""
        await self._send(Request(method="POST", path=f"{AUTH}/logout", read=nothing, repeatable=False))

    @operation
    async def show(self) -> Mapping[str, Any]:
        """Who you are, and by what right."""
        return await self._send(Request(method="GET", path=f"{AUTH}/session", read=an_object))

    @operation
    async def change_password(self, old: str, new: str) -> None:
        """Your own; sign in again after that."""
        body = {"old_password": old, "new_password": new}
        await self._send(Request(method="PUT", path=f"{AUTH}/password", body=body, read=nothing, repeatable=False))


class Accounts(Resource[M]):
    """``client.accounts``."""

    @operation
    async def create(self, name: str, password: str, roles: Sequence[str]) -> AccountView:
        """Somebody new."""
        body = {"name": name, "password": password, "roles": roles}
        return await self._send(
            Request(method="POST", path=f"{AUTH}/accounts", body=body, read=one(AccountView), repeatable=False)
        )

    @operation
    async def list(self) -> Sequence[AccountView]:
        """All of them, by name."""
        return await self._send(Request(method="GET", path=f"{AUTH}/accounts", read=many(AccountView, "accounts")))

    @operation
    async def change(
        self,
        name: str,
        *,
        password: str | None = None,
        roles: Sequence[str] | None = None,
        enabled: bool | None = None,
    ) -> AccountView:
        """What is given is otherwise from now on; sign-ins that this concerns end."""
        body = {"password": password, "roles": roles, "enabled": enabled}
        return await self._send(
            Request(method="PATCH", path=path(f"{AUTH}/accounts", name), body=body, read=one(AccountView))
        )

    @operation
    async def remove(self, name: str) -> None:
        """Forget somebody; everything that the name opened ends."""
        await self._send(Request(method="DELETE", path=path(f"{AUTH}/accounts", name), read=nothing))
