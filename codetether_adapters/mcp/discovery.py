"""Where the server is and what it speaks, for who has only its address (SEP-2127, which is experimental yet).

A card tells of one endpoint, a catalogue of all cards. Neither tells what there is: that depends on who asks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

from attrs import frozen

from codetether_adapters.mcp.encoding import encode
from codetether_adapters.mcp.served import Identity

__all__ = ["CARD_TYPE", "CATALOG_TYPE", "VERSIONS", "Page", "card_of", "catalog_of"]

CARD_TYPE: Final = "application/mcp-server-card+json"
CATALOG_TYPE: Final = "application/ai-catalog+json"

VERSIONS: Final = ("2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26")
"""The protocol's revisions that are spoken, the newest first."""

_SCHEMA: Final = "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json"
_FORMAT: Final = "1.0"
_UNSPEAKABLE: Final = re.compile(r"[^a-z0-9.-]")
_HEADERS: Final = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET"),
    (b"access-control-allow-headers", b"Content-Type, If-None-Match"),
    (b"access-control-expose-headers", b"ETag"),
    (b"cache-control", b"public, max-age=3600"),
)


@frozen
class Page:
    """A document for everybody, other websites' pages included."""

    body: bytes

    @property
    def tag(self) -> str:
        """Another for whatever says something else."""
        return f'"{sha256(self.body).hexdigest()[:32]}"'

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """What is to be known of it."""
        return [*_HEADERS, (b"etag", self.tag.encode())]

    def is_known(self, if_none_match: str | None) -> bool:
        """Whether a client that says so has it (RFC 9110, section 13.1.2)."""
        told = {each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")}
        return "*" in told or self.tag in told


def card_of(identity: Identity, endpoint: str) -> Page:
    """Of the endpoint at that URL."""
    card: Mapping[str, Any] = {
        "$schema": _SCHEMA,
        "name": f"{_reversed(_host(endpoint))}/{identity.name}",
        "title": identity.title,
        "description": identity.description,
        "version": identity.version,
        "remotes": [{"type": "streamable-http", "url": endpoint, "supportedProtocolVersions": VERSIONS}],
    }
    return Page(encode(card))


def catalog_of(identity: Identity, cards: Sequence[str]) -> Page:
    """Of the cards at these URLs."""
    entries = [
        {"identifier": f"urn:air:{_host(card)}:mcp:{identity.name}", "type": CARD_TYPE, "url": card} for card in cards
    ]
    return Page(encode({"specVersion": _FORMAT, "entries": entries}))


def _host(url: str) -> str:
    """The publisher: who is at that address."""
    return _UNSPEAKABLE.sub("-", urlsplit(url).hostname or "localhost")


def _reversed(host: str) -> str:
    """As namespaces have it, the widest domain first; an address that is no name has none."""
    labels = host.split(".")
    return host if labels[-1].isdecimal() else ".".join(reversed(labels))
