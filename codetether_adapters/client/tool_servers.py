"""Servers elsewhere whose tools runs may use: ``client.tool_servers``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import field, frozen

from codetether_adapters.client.operations import M, Resource, operation
from codetether_adapters.client.requests import Request, many, one, path

__all__ = ["OfferedToolView", "ToolServerHealthView", "ToolServerView", "ToolServers"]

_AT = "/v1/tool-servers"
_PATIENCE = 30.0
"""Seconds that the server may wait for what the other one has to say."""


@frozen(kw_only=True)
class ToolServerView:
    """A registered server; ``tools`` are patterns of the names of its tools that runs may use.

    If it is shown a credential (``signs_in``), whoever may see which secrets there are is told how.
    """

    name: str
    url: str = ""
    description: str = ""
    tools: tuple[str, ...] = ()
    timeout_seconds: float = 0.0
    signs_in: bool = False
    secret: str | None = field(default=None, repr=False)
    header: str | None = None
    prefix: str | None = None
    registered_by: str = ""
    registered_at: datetime | None = None


@frozen(kw_only=True)
class OfferedToolView:
    """A tool as its server describes it, and whether it is ``offered`` to runs."""

    name: str
    title: str | None = None
    description: str = ""
    offered: bool = False


@frozen(kw_only=True)
class ToolServerHealthView:
    """Which ``tools`` a server had when it was asked, or the ``problem`` and, if it is known, what to do."""

    server: ToolServerView
    checked_at: datetime | None = None
    tools: tuple[OfferedToolView, ...] = ()
    problem: str | None = None
    hint: str = ""


class ToolServers(Resource[M]):
    """``client.tool_servers``."""

    @operation
    async def list(self) -> Sequence[ToolServerView]:
        """By name."""
        return await self._send(Request(method="GET", path=_AT, read=many(ToolServerView, "tool_servers")))

    @operation
    async def put(
        self,
        name: str,
        url: str,
        *,
        description: str = "",
        tools: Sequence[str] = (),
        timeout: float | None = None,
        secret: str | None = None,
        header: str | None = None,
        prefix: str | None = None,
    ) -> ToolServerHealthView:
        """Register a server that speaks MCP at ``url``, in place of the one of that name.

        Runs may use those of its ``tools`` that a pattern matches (without any: all), for ``timeout`` seconds a call.
        ``secret`` names the secret that it knows us by, which goes into ``header`` behind ``prefix``.
        """
        body = {
            "url": url,
            "description": description,
            "tools": tools or None,
            "timeout_seconds": timeout,
            "secret": secret,
            "header": header,
            "prefix": prefix,
        }
        where, read = path(_AT, name), one(ToolServerHealthView)
        return await self._send(Request(method="PUT", path=where, body=body, read=read, patience=_PATIENCE))

    @operation
    async def get(self, name: str) -> ToolServerView:
        """As it was registered."""
        return await self._send(Request(method="GET", path=path(_AT, name), read=one(ToolServerView)))

    @operation
    async def check(self, name: str) -> ToolServerHealthView:
        """Have it asked now which tools it has."""
        where, read = f"{path(_AT, name)}/check", one(ToolServerHealthView)
        return await self._send(Request(method="POST", path=where, read=read, patience=_PATIENCE))

    @operation
    async def delete(self, name: str) -> ToolServerView:
        """Forget it: no run uses its tools any more."""
        return await self._send(Request(method="DELETE", path=path(_AT, name), read=one(ToolServerView)))
