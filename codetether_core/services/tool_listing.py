"""Which tools the servers elsewhere have that a tenant registered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from attrs import define, evolve, field, frozen

from codetether_core.errors import (
    CodeTetherError,
    NotConfigured,
    NotFound,
    PermissionDenied,
    Unavailable,
    Undecipherable,
)
from codetether_core.ids import TenantId
from codetether_core.ports import Clock, Joining, RecordStore, Together, ToolCaller
from codetether_core.redaction import rewritten
from codetether_core.services.redaction import Redaction
from codetether_core.services.secret_keeping import SecretKeeping
from codetether_core.tool_servers import OfferedTool, ToolServer, offers

__all__ = ["Listed", "ToolListing", "each_by_itself", "one_after_another"]

T = TypeVar("T")

_FRESH: Final = timedelta(seconds=60)
_FRESH_PROBLEM: Final = timedelta(seconds=10)
_PATIENCE: Final = timedelta(seconds=10)
"""For a list, however long the server's tools may take."""

_MOST: Final = 1000
"""Servers whose lists are remembered."""

_KEPT_FROM_US: Final = (NotFound, PermissionDenied, NotConfigured, Undecipherable)
"""Why a server is not told who we are; each says which secret it is about, or how secrets are kept."""


@frozen
class Listed:
    """The tools of a ``server`` that are offered, as they were ``at`` a time; or why nobody knows them."""

    server: ToolServer
    at: datetime
    tools: Sequence[OfferedTool] = ()
    problem: CodeTetherError | None = None


async def one_after_another(calls: Iterable[Awaitable[T]]) -> Sequence[T]:
    """Not at once (a ``Together``)."""
    return [await call for call in calls]


async def each_by_itself(_: Hashable, call: Callable[[], Awaitable[T]]) -> T:
    """Whatever others ask for (a ``Joining``)."""
    return await call()


@define(eq=False)
class ToolListing:
    """Asks a server once at a time, and remembers it for a minute. Without a ``caller`` there are no tools."""

    servers: RecordStore[ToolServer]
    caller: ToolCaller | None
    secrets: SecretKeeping
    redaction: Redaction
    clock: Clock
    together: Together = one_after_another
    joining: Joining = each_by_itself
    _known: dict[ToolServer, Listed] = field(factory=dict, init=False)

    async def of(self, tenant: TenantId) -> Sequence[Listed]:
        """The lists of all servers, by name; one that cannot be had is there with its problem."""
        if self.caller is None:
            return []
        caller, servers = self.caller, await self.servers.list(tenant)
        return await self.together([self._listed(caller, server) for server in servers])

    async def one(self, tenant: TenantId, name: str) -> Listed | None:
        """That of the server of this name, which waits for no other; none if there is no such server."""
        if self.caller is None:
            return None
        try:
            server = await self.servers.get(tenant, name)
        except NotFound:
            return None
        return await self._listed(self.caller, server)

    async def credential(self, server: ToolServer) -> str:
        """What the server knows us by; empty if it does not care.

        ``Unavailable`` if it cannot be told: runs may not know of the tenant's secrets, nor therefore why.
        """
        if server.sign_in is None:
            return ""
        try:
            return await self.secrets.sent(server.tenant, server.sign_in.secret)
        except _KEPT_FROM_US:
            hint = f"go on without it; `codetether tool-server check {server.name}` says why to whoever may know"
            raise Unavailable(f"{server.name} cannot be signed in to", hint=hint) from None

    async def _listed(self, caller: ToolCaller, server: ToolServer) -> Listed:
        known = self._known.get(server)
        if known is not None:
            fresh = _FRESH if known.problem is None else _FRESH_PROBLEM
            if self.clock.now() - known.at < fresh:
                return known
        return await self.joining(server, lambda: self._remembered(caller, server))

    async def _remembered(self, caller: ToolCaller, server: ToolServer) -> Listed:
        listed = await self._asked(caller, server)
        self._known.pop(server, None)
        if len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]
        self._known[server] = listed
        return listed

    async def _asked(self, caller: ToolCaller, server: ToolServer) -> Listed:
        try:
            hurried = evolve(server, timeout=min(server.timeout, _PATIENCE))
            credential = await self.credential(server)
            async with self.redaction.of_errors(server.tenant):
                tools = await caller.tools(hurried, credential)
            redactor = await self.redaction.of(server.tenant)
        except CodeTetherError as problem:
            return Listed(server, self.clock.now(), problem=problem)
        offered = [rewritten(tool, redactor.whole) for tool in tools if offers(server, tool.name)]
        return Listed(server, self.clock.now(), offered)
