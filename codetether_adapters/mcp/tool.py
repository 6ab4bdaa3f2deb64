"""What a tool is: what a model reads of it, who may use it, and what it does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from attrs import frozen

from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.hub import Hub
from codetether_adapters.mcp.schema import schema_of

__all__ = ["ADDS", "CHANGES", "ENDS", "LOOKS", "Hints", "Link", "Tool"]


@frozen(kw_only=True)
class Hints:
    """What a host may tell its user before a call: that it looks only, ends something, may be repeated at will, or
    reaches beyond this server.
    """

    read_only: bool = False
    destructive: bool = False
    idempotent: bool = False
    open_world: bool = False

    def shown(self, title: str) -> Mapping[str, Any]:
        """All four, as their defaults are the worst."""
        return {
            "title": title,
            "readOnlyHint": self.read_only,
            "destructiveHint": self.destructive,
            "idempotentHint": self.idempotent,
            "openWorldHint": self.open_world,
        }


LOOKS = Hints(read_only=True, idempotent=True)
ADDS = Hints(open_world=True)
CHANGES = Hints(idempotent=True)
ENDS = Hints(destructive=True, idempotent=True)


@frozen
class Link:
    """A resource where there is more to be read."""

    uri: str
    name: str
    description: str
    media_type: str = "application/json"

    def shown(self) -> Mapping[str, Any]:
        """As a block of content."""
        return {
            "type": "resource_link",
            "uri": self.uri,
            "name": self.name,
            "description": self.description,
            "mimeType": self.media_type,
        }


_Run: TypeAlias = Callable[[Hub, Exchange, Any], Awaitable[Any]]
"""From arguments, of the tool's own class, to a result of its class."""


def _no_links(result: Any) -> Sequence[Link]:
    return ()


@frozen(kw_only=True, eq=False)
class Tool:
    """``permission`` is what the caller needs; ``links`` are where the rest is of what a result leaves out."""

    name: str
    title: str
    description: str
    permission: str
    arguments: type
    result: type
    hints: Hints
    run: _Run
    links: Callable[[Any], Sequence[Link]] = _no_links

    def shown(self) -> Mapping[str, Any]:
        """As clients list it."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": schema_of(self.arguments, closed=True),
            "outputSchema": schema_of(self.result),
            "annotations": self.hints.shown(self.title),
        }
