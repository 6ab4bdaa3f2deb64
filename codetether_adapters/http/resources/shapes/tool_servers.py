"""Servers of tools, as answered: never the credentials that they are shown."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

__all__ = ["OfferedTool", "ToolServer", "ToolServerHealth", "ToolServers"]


@frozen(kw_only=True)
class ToolServer:
    """A server elsewhere; ``tools`` are patterns of the names of its tools that runs may use.

    Whether it is shown a credential (``signs_in``) everybody is told; which ``secret`` of ours that is, in which
    ``header`` and behind which ``prefix``, only who may see which secrets there are.
    """

    name: str
    url: str
    description: str
    tools: tuple[str, ...]
    timeout_seconds: float
    signs_in: bool
    secret: str | None
    header: str | None
    prefix: str | None
    registered_by: str
    registered_at: datetime


@frozen(kw_only=True)
class ToolServers:
    """All of the tenant's, by name."""

    tool_servers: tuple[ToolServer, ...]
    total: int


@frozen(kw_only=True)
class OfferedTool:
    """A tool as its server describes it, and whether it is ``offered`` to runs."""

    name: str
    title: str | None
    description: str
    offered: bool


@frozen(kw_only=True)
class ToolServerHealth:
    """Which ``tools`` the server had when it was asked, or the ``problem`` and, if it is known, what to do."""

    server: ToolServer
    checked_at: datetime
    tools: tuple[OfferedTool, ...]
    problem: str | None
    hint: str
