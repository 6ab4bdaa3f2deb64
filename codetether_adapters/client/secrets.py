"""Registered secrets: ``client.secrets``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from codetether_adapters.client.operations import M, Resource, operation
from codetether_adapters.client.requests import Request, many, one, path

__all__ = ["SecretView", "Secrets"]

_AT = "/v1/secrets"


@frozen(kw_only=True)
class SecretView:
    """A secret without its value. Runs of these ``agents`` (none: all) are handed it in ``variable``, if it has one."""

    name: str
    variable: str | None = None
    agents: tuple[str, ...] = ()
    created_by: str = ""
    created_at: datetime | None = None
    changed_at: datetime | None = None


class Secrets(Resource[M]):
    """``client.secrets``."""

    @operation
    async def list(self) -> Sequence[SecretView]:
        """By name."""
        return await self._send(Request(method="GET", path=_AT, read=many(SecretView, "secrets")))

    @operation
    async def put(
        self, name: str, value: str, *, variable: str | None = None, agents: Sequence[str] = ()
    ) -> SecretView:
        """Register it: the server takes it out of whatever is written from now on."""
        body = {"value": value, "variable": variable, "agents": agents}
        return await self._send(Request(method="PUT", path=path(_AT, name), body=body, read=one(SecretView)))

    @operation
    async def delete(self, name: str) -> SecretView:
        """Forget it."""
        return await self._send(Request(method="DELETE", path=path(_AT, name), read=one(SecretView)))
