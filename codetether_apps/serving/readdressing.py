"""What a server says of where it is, as it has to be said to clients who have it at an address of ours.

They ask for a token for that address, and believe no metadata that is of another.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from attrs import frozen

from codetether_adapters.http import METADATA, encode_json, metadata_url
from codetether_adapters.mcp.envelope import message_in

__all__ = ["Document", "challenged", "document_at"]

_ENDPOINTS: Final = ("/mcp/v1/rpc", "/mcp")
_CARD: Final = "/server-card"
_CATALOGS: Final = ("/.well-known/ai-catalog.json", "/.well-known/mcp/catalog.json")
_METADATA: Final = re.compile(rb'resource_metadata="[^"]*"')


@frozen
class Document:
    """One that tells where the ``endpoint`` is, which is a URL of ours; the server has it at ``path``."""

    path: str
    endpoint: str

    async def readdressed(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """What the server tells, of us; what is no such document stays as it is."""
        body = b"".join([chunk async for chunk in chunks])
        try:
            told = message_in(body)
        except ValueError:
            yield body
            return
        yield encode_json(self._of_us(told))

    def _of_us(self, told: Any) -> Any:
        match told:
            case {"resource": str()}:
                return {**told, "resource": self.endpoint}
            case {"remotes": [*remotes]}:
                return {**told, "remotes": [_at(self.endpoint, each) for each in remotes]}
            case {"entries": [*entries]}:
                return {**told, "entries": [_at(f"{self.endpoint}{_CARD}", each) for each in entries]}
        return told


def document_at(path: str, address: str, prefix: str) -> Document | None:
    """The document that clients find at a path of ours; we are at that address, and the server has MCP below
    ``prefix``. Its metadata it has at the root, whatever path it has itself.
    """
    below = urlsplit(address).path
    found = {f"{METADATA}{below}{endpoint}": Document(METADATA, f"{address}{endpoint}") for endpoint in _ENDPOINTS}
    found |= {
        f"{endpoint}{_CARD}": Document(f"{prefix}{endpoint}{_CARD}", f"{address}{endpoint}") for endpoint in _ENDPOINTS
    }
    found |= {place: Document(place, f"{address}{_ENDPOINTS[0]}") for place in (METADATA, *_CATALOGS)}
    return found.get(path)


def challenged(value: bytes, endpoint: str) -> bytes:
    """A challenge of the server's, with our metadata."""
    return _METADATA.sub(lambda _: f'resource_metadata="{metadata_url(endpoint)}"'.encode(), value)


def _at(url: str, told: Any) -> Any:
    return {**told, "url": url} if isinstance(told, Mapping) else told
