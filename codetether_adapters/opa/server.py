"""Rego by an OPA server: its data API (https://www.openpolicyagent.org/docs/rest-api#get-a-document-with-input)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
from attrs import define, evolve, field

from codetether_adapters.opa.question import RULE, question
from codetether_core.access import Principal, denied
from codetether_core.errors import Unavailable

__all__ = ["OpaServer", "open_opa_server"]

_PATIENCE: Final = 2.0
_REMEMBERED_FOR: Final = 5.0
"""Seconds for which a decision is taken again; a policy that changes counts after that."""

_MOST: Final = 4096


@asynccontextmanager
async def open_opa_server(url: str) -> AsyncIterator[OpaServer]:
    """The policy of the server at ``http(s)://host:port[/prefix]``."""
    async with httpx.AsyncClient(timeout=_PATIENCE) as client:
        yield OpaServer(f"{url.rstrip('/')}/v1/data/{'/'.join(RULE)}", client)


@define(eq=False)
class OpaServer:
    """Asks a server (port ``Authorizer``). Where it does not answer, nothing is allowed."""

    _url: str
    _client: httpx.AsyncClient
    _known: dict[tuple[Principal, str], tuple[float, bool]] = field(factory=dict, init=False)

    async def authorize(self, principal: Principal, permission: str) -> None:
        """Return if the server allows it; ``PermissionDenied`` if not, ``Unavailable`` if it does not say."""
        if not await self._allows(evolve(principal, credential=None, expires_at=None), permission):
            raise denied(principal, permission)

    async def _allows(self, principal: Principal, permission: str) -> bool:
        now = asyncio.get_running_loop().time()
        until, allowed = self._known.get((principal, permission), (0.0, False))
        if now < until:
            return allowed
        allowed = await self._ask(question(principal, permission))
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[principal, permission] = now + _REMEMBERED_FOR, allowed
        return allowed

    async def _ask(self, asked: dict[str, Any]) -> bool:
        try:
            answer = await self._client.post(self._url, json={"input": asked})
            answer.raise_for_status()
            said = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(
                f"The policy server does not say who may do this: {type(error).__name__}",
                hint="look at the OPA server that CODETETHER_POLICY names",
            ) from error
        return isinstance(said, dict) and said.get("result") is True  # undefined: there is no result
