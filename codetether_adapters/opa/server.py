"""Rego by an OPA server: its data API (https://www.openpolicyagent.org/docs/rest-api#get-a-document-with-input)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import structlog
from attrs import define, evolve, field

from codetether_adapters.opa.question import ACCESS, AGENT, question, wish
from codetether_adapters.opa.verdicts import verdict_of
from codetether_core.access import POLICY_FAILED, UNDEFINED, Principal, ToolRequest, Verdict, denied
from codetether_core.errors import Invalid, Unavailable
from codetether_core.ids import TenantId

__all__ = ["OpaServer", "open_opa_server"]

_log = structlog.get_logger(__name__)

_PATIENCE: Final = 2.0
_REMEMBERED_FOR: Final = 5.0
"""Seconds for which a decision is taken again; a policy that changes counts after that."""

_MOST: Final = 4096


@asynccontextmanager
async def open_opa_server(url: str) -> AsyncIterator[OpaServer]:
    """The policy of the server at ``http(s)://host:port[/prefix]``."""
    async with httpx.AsyncClient(timeout=_PATIENCE) as client:
        yield OpaServer(f"{url.rstrip('/')}/v1/data", client)


@define(eq=False)
class OpaServer:
    """Asks a server (ports ``Authorizer`` and ``AgentPolicy``). Where it does not answer, nothing is allowed."""

    _url: str
    _client: httpx.AsyncClient
    _known: dict[tuple[Principal, str], tuple[float, bool]] = field(factory=dict, init=False)

    async def authorize(self, principal: Principal, permission: str, *, tenant: TenantId | None = None) -> None:
        """Return if the server allows it; ``PermissionDenied`` if not, ``Unavailable`` if it does not say."""
        asking = evolve(principal, credential=None, expires_at=None)
        if not await self._allows(asking, permission, None if tenant == principal.tenant else tenant):
            raise denied(principal, permission, tenant)

    async def judge(self, request: ToolRequest) -> Verdict:
        """What the server says to an agent's wish."""
        try:
            said = await self._ask(AGENT, wish(request))
            return UNDEFINED if said is None else verdict_of(said)
        except (Unavailable, Invalid) as error:
            _log.error("policy_failed", agent=request.agent, tool=request.tool.name, error=error.message)
            return POLICY_FAILED

    async def _allows(self, principal: Principal, permission: str, elsewhere: TenantId | None) -> bool:
        if elsewhere is not None:  # names that callers make up would fill the memory
            return await self._ask(ACCESS, question(principal, permission, elsewhere)) is True
        now = asyncio.get_running_loop().time()
        until, allowed = self._known.get((principal, permission), (0.0, False))
        if now < until:
            return allowed
        allowed = await self._ask(ACCESS, question(principal, permission)) is True
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[principal, permission] = now + _REMEMBERED_FOR, allowed
        return allowed

    async def _ask(self, rule: Sequence[str], asked: dict[str, Any]) -> object:
        """The value of the rule; ``None`` if it is undefined, ``Unavailable`` if the server does not say."""
        try:
            answer = await self._client.post(f"{self._url}/{'/'.join(rule)}", json={"input": asked})
            answer.raise_for_status()
            said = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(
                f"The policy server does not say who may do this: {type(error).__name__}",
                hint="look at the OPA server that CODETETHER_POLICY names",
            ) from error
        return said.get("result") if isinstance(said, dict) else False  # where it is undefined, there is no result
