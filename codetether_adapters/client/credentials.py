"""Tokens that the server issues and takes back."""

from __future__ import annotations

from collections.abc import Sequence

from codetether_adapters.client.identity_views import TokenView
from codetether_adapters.client.operations import M, Resource, operation
from codetether_adapters.client.requests import AUTH, Request, many, one, path

__all__ = ["Tokens"]


class Tokens(Resource[M]):
    """``client.tokens``."""

    @operation
    async def create(
        self,
        name: str,
        *,
        roles: Sequence[str] | None = None,
        scopes: Sequence[str] | None = None,
        expires_in: float | None = None,
    ) -> TokenView:
        """An API key that stands for you, narrowed to these roles and scopes; its ``token`` is told this once."""
        body = {"name": name, "roles": roles, "scopes": scopes, "expires_in": expires_in}
        return await self._send(
            Request(method="POST", path=f"{AUTH}/keys", body=body, read=one(TokenView), repeatable=False)
        )

    @operation
    async def create_for_worker(
        self, worker: str, *, name: str | None = None, expires_in: float | None = None
    ) -> TokenView:
        """A token with which the worker of that id works, and nobody else; its ``token`` is told this once."""
        body = {"worker_id": worker, "name": name, "expires_in": expires_in}
        return await self._send(
            Request(method="POST", path=f"{AUTH}/worker-tokens", body=body, read=one(TokenView), repeatable=False)
        )

    @operation
    async def list(self, *, sign_ins: bool = False) -> Sequence[TokenView]:
        """Yours, or for an administrator all of them; latest first. Sign-ins only if asked for."""
        query = {"sign_ins": "true" if sign_ins else None}
        return await self._send(Request(method="GET", path=f"{AUTH}/keys", query=query, read=many(TokenView, "tokens")))

    @operation
    async def revoke(self, id: str) -> TokenView:
        """It opens nothing from now on."""
        return await self._send(Request(method="DELETE", path=path(f"{AUTH}/keys", id), read=one(TokenView)))

    @operation
    async def revoke_all(self, owner: str) -> Sequence[TokenView]:
        """Whatever stands for somebody, sign-ins too; which ones that were."""
        request = Request(method="DELETE", path=f"{AUTH}/keys", query={"owner": owner}, read=many(TokenView, "tokens"))
        return await self._send(request)
