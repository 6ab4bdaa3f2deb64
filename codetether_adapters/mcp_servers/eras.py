"""The words of the protocol's two eras: revision 2026-07-28, and those before it, which begin with a handshake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

__all__ = ["HANDSHAKE", "HANDSHAKES", "MODERN", "Session", "client_info"]

MODERN: Final = "2026-07-28"
HANDSHAKES: Final = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""Newest first."""

HANDSHAKE: Final = HANDSHAKES[0]
_OUR_WORD: Final = "io.modelcontextprotocol/"
_NAMED: Final = "tools/call"


@frozen
class Session:
    """How every request of an operation presents itself: the revision, and the session if the server keeps one."""

    revision: str
    client: Mapping[str, str]
    id: str = ""

    @property
    def modern(self) -> bool:
        """Whether every request stands for itself."""
        return self.revision == MODERN

    def headers(self, method: str, params: Mapping[str, Any]) -> dict[str, str]:
        """What goes before the body of a request."""
        headers = {"MCP-Protocol-Version": self.revision}
        if self.id:
            headers["Mcp-Session-Id"] = self.id
        if self.modern:
            headers["Mcp-Method"] = method
            if method == _NAMED:
                headers["Mcp-Name"] = str(params["name"])
        return headers

    def params(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The parameters of a request: of ours, that we can do nothing that a server might ask of us."""
        if not self.modern:
            return params
        meta = {
            f"{_OUR_WORD}protocolVersion": self.revision,
            f"{_OUR_WORD}clientCapabilities": {},
            f"{_OUR_WORD}clientInfo": self.client,
        }
        return {**params, "_meta": meta}


def client_info(version: str) -> Mapping[str, str]:
    """Who we are."""
    return {"name": "codetether", "version": version}
