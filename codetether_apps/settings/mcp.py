"""Settings of the Model Context Protocol: whether and where it is served, and which of its tools there are."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from codetether_apps.settings.kinds import FLAG, PORT, SWITCH, Kind, items
from codetether_apps.settings.setting import setting

__all__ = ["Mcp"]

_TOOL: Final = re.compile(r"[a-z_]{1,64}")
_PREFIX: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*/?")


def _tool(text: str) -> str:
    if not _TOOL.fullmatch(text):
        raise ValueError("names of tools, with commas between")
    return text


def _prefix(raw: object) -> str:
    if not isinstance(raw, str) or not _PREFIX.fullmatch(raw):
        raise ValueError("a path, such as /api")
    return raw.rstrip("/")


_TOOLS: Final = items("tool list", _tool)


@frozen(kw_only=True)
class Mcp:
    """Serving the Model Context Protocol."""

    enabled: bool = setting(
        True, SWITCH, "Serve MCP, if its library is installed", env="MCP", aliases=("MCP_HTTP_ENABLED",)
    )
    port: int = setting(
        9000, PORT, "Port to serve MCP on besides (`codetether up`), or alone (`codetether mcp`); 0 takes a free one",
        env="MCP_PORT", aliases=("MCP_HTTP_PORT",), flag="--mcp-port",
    )  # fmt: skip
    prefix: str = setting(
        "", Kind("path", _prefix), "Path below which MCP is served by the API's server: workers of release 1.4.3 look"
        " for it at `/mcp/v1/rpc`", env="MCP_PREFIX", shown="–",
    )  # fmt: skip
    read_only: bool = setting(
        False, FLAG, "Have only tools that change nothing", env="MCP_READ_ONLY", flag="--mcp-read-only"
    )
    allow: tuple[str, ...] = setting((), _TOOLS, "Have only these tools", env="MCP_ALLOW", shown="all")
    deny: tuple[str, ...] = setting((), _TOOLS, "Do without these tools", env="MCP_DENY", shown="none")
