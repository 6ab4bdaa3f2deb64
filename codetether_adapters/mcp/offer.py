"""Which tools an installation offers at all, whoever asks."""

from __future__ import annotations

from attrs import frozen

from codetether_adapters.mcp.tool import Tool

__all__ = ["Offer"]


@frozen(kw_only=True)
class Offer:
    """Which tools there are: only those of ``allow`` if it names any, none of ``deny``, and such as look if it is
    ``read_only``.
    """

    read_only: bool = False
    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()

    def has(self, tool: Tool) -> bool:
        """Whether it is among them."""
        return (
            (tool.hints.read_only or not self.read_only)
            and (not self.allow or tool.name in self.allow)
            and tool.name not in self.deny
        )
