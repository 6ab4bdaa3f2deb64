"""A server elsewhere whose tools the runs of a tenant may use."""

from __future__ import annotations

from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Final

from attrs import frozen

from codetether_core.agents import SignIn
from codetether_core.ids import TenantId

__all__ = ["ToolServer", "offers", "server_in", "tool_name"]

_BETWEEN: Final = "__"
_LONGEST_NAME: Final = 128
"""Characters of a name that agents may be told."""


@frozen(kw_only=True)
class ToolServer:
    """A registered server. ``name`` is unique per tenant, and has no two underscores in a row.

    It is spoken to at ``url``, with a credential of the tenant's own if it wants one (``sign_in``). Of its tools only
    those are offered that one of ``tools`` matches (``*`` and ``?`` stand for any characters) and agents can call by
    name. A call that takes longer than ``timeout`` is given up.
    """

    name: str
    tenant: TenantId
    url: str
    registered_by: str
    registered_at: datetime
    description: str = ""
    tools: tuple[str, ...] = ("*",)
    timeout: timedelta = timedelta(seconds=30)
    sign_in: SignIn | None = None
    version: int = 1

    @property
    def id(self) -> str:
        """What stores file it under."""
        return self.name


def offers(server: ToolServer, tool: str) -> bool:
    """Whether a tool of the server is meant for our runs, and has a name that they can call it by."""
    matches = any(fnmatchcase(tool, pattern) for pattern in server.tools)
    return matches and len(tool_name(server.name, tool)) <= _LONGEST_NAME


def tool_name(server: str, tool: str) -> str:
    """What agents and policies call a tool of a server: ``<server>__<tool>``."""
    return f"{server}{_BETWEEN}{tool}"


def server_in(name: str) -> str:
    """Whose tool it is that is called so; nobody's if it is no such name."""
    server, between, _ = name.partition(_BETWEEN)
    return server if between else ""
