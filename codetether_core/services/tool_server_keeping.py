"""Registering servers elsewhere whose tools runs may use, and finding out how they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from codetether_core.access import Principal
from codetether_core.errors import (
    AlreadyExists,
    Conflict,
    Invalid,
    NotConfigured,
    NotFound,
    PermissionDenied,
    Unavailable,
    Undecipherable,
    VersionConflict,
)
from codetether_core.events import CREDENTIALS, Event, Topic
from codetether_core.ports import Clock, RecordStore, ToolCaller
from codetether_core.redaction import rewritten
from codetether_core.services.ownership import KNOWING, Ownership
from codetether_core.services.redaction import Redaction
from codetether_core.services.secret_keeping import SecretKeeping
from codetether_core.services.swapping import until_swapped
from codetether_core.tool_servers import OfferedTool, ToolServer, ToolServerHealth, changed, registered, signing_in

__all__ = ["ToolServerKeeping"]

_MOST: Final = 50
_PATIENCE: Final = timedelta(seconds=30)
"""How long a server may take to say which tools it has, while somebody waits to be told."""

_PROBLEMS: Final = (Invalid, NotConfigured, NotFound, PermissionDenied, Unavailable, Undecipherable)
"""What may be wrong with a server, or with the secret that it knows us by."""


@frozen
class ToolServerKeeping:
    """A tenant's tool servers. Without a ``caller`` nobody can be asked, and none is registered."""

    servers: RecordStore[ToolServer]
    secrets: SecretKeeping
    redaction: Redaction
    ownership: Ownership
    caller: ToolCaller | None
    clock: Clock

    async def register(
        self,
        principal: Principal,
        name: str,
        url: str,
        *,
        description: str = "",
        tools: Sequence[str] = ("*",),
        timeout: timedelta = timedelta(seconds=30),
        secret: str | None = None,
        header: str | None = None,
        prefix: str | None = None,
    ) -> ToolServerHealth:
        """Keep it, in place of the one of that name, once it has said which tools it has.

        ``secret`` names the tenant's secret by which it knows us, told in the ``header`` behind the ``prefix``.
        ``Invalid`` for what could not be, for a text with a secret in it, and for a server that may not be asked or
        answers nonsense; ``Unavailable`` if it does not answer or refuses us; ``PermissionDenied`` for who may not have
        the secret sent; ``Conflict`` if there are too many; ``NotConfigured`` where none can be asked.
        """
        now = self.clock.now()
        new = registered(
            name,
            principal.tenant,
            url=url,
            description=description,
            tools=tools,
            timeout=timeout,
            sign_in=signing_in(secret, header, prefix),
            registered_by=principal.name,
            now=now,
        )
        caller = self._asking()
        said = {"url": url, "description": description, "header": header, "prefix": prefix}
        await self.redaction.refuse(principal.tenant, **said)
        if secret is not None:
            await self.secrets.require_sending(principal, secret)
        await self._replaced(new)
        found = await self._tools(caller, new)

        async def attempt() -> ToolServer:
            old = await self._replaced(new)
            if old is not None:
                kept = changed(old, new)
                await self.servers.replace(old, kept, [_event("tool_server.changed", kept, principal, now)])
                return kept
            try:
                await self.servers.add(new, [_event("tool_server.registered", new, principal, now)])
            except AlreadyExists as error:  # somebody else was faster: it is to be replaced now
                raise VersionConflict(error.message, id=name) from None
            return new

        kept = await until_swapped(attempt, "tool server", name)
        return ToolServerHealth(server=kept, at=now, tools=found)

    async def list(self, principal: Principal) -> Sequence[ToolServer]:
        """All of them, by name."""
        return await self.servers.list(principal.tenant)

    async def get(self, principal: Principal, name: str) -> ToolServer:
        """The one of that name; ``NotFound``."""
        return await self.servers.get(principal.tenant, name)

    async def remove(self, principal: Principal, name: str) -> ToolServer:
        """Forget it; ``NotFound``. Its secret stays."""

        async def attempt() -> ToolServer:
            old = await self.servers.get(principal.tenant, name)
            await self.servers.remove(old, [_event("tool_server.removed", old, principal, self.clock.now())])
            return old

        return await until_swapped(attempt, "tool server", name)

    async def check(self, principal: Principal, name: str) -> ToolServerHealth:
        """Ask it now, and tell what is wrong with it; ``NotFound``, ``NotConfigured`` where none can be asked."""
        server = await self.servers.get(principal.tenant, name)
        caller = self._asking()
        try:
            found = await self._tools(caller, server)
        except _PROBLEMS as error:
            return ToolServerHealth(server=server, at=self.clock.now(), problem=error.message, hint=error.hint)
        return ToolServerHealth(server=server, at=self.clock.now(), tools=found)

    async def tells_secrets(self, principal: Principal) -> bool:
        """Whether the principal is told which secret a server knows us by, and how."""
        return (await self.ownership.reach(principal, KNOWING)).everybody

    def _asking(self) -> ToolCaller:
        if self.caller is None:
            raise NotConfigured("This server uses no tools of servers elsewhere")
        return self.caller

    async def _replaced(self, new: ToolServer) -> ToolServer | None:
        """The one whose place it takes; ``Conflict`` if there is no room for another."""
        known = await self.servers.list(new.tenant)
        old = next((each for each in known if each.name == new.name), None)
        if old is None and len(known) >= _MOST:
            raise Conflict(f"There are {_MOST} tool servers", hint="remove one that is no longer needed")
        return old

    async def _tools(self, caller: ToolCaller, server: ToolServer) -> tuple[OfferedTool, ...]:
        """All that it has, or what is wrong, in words that tell no secret: whoever hears of one can say it again."""
        sign_in = server.sign_in
        credential = await self.secrets.sent(server.tenant, sign_in.secret) if sign_in else ""
        asked = evolve(server, timeout=min(server.timeout, _PATIENCE))
        async with self.redaction.of_errors(server.tenant):
            found = await caller.tools(asked, credential)
        redactor = await self.redaction.of(server.tenant)
        return rewritten(tuple(found), redactor.whole)


def _event(kind: str, server: ToolServer, by: Principal, now: datetime) -> Event:
    """What the log says of it."""
    data = {"tool_server_id": server.name, "name": server.name, "by": by.name, "url": server.url}
    return Event(Topic(server.tenant, CREDENTIALS, f"tool-server/{server.name}"), kind, now, data)
