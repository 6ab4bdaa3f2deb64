"""What tells of the endpoint before anybody calls it: its card, and the catalogue that names it (experimental)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import field, frozen

from codetether_adapters.http import Call, Encoded, Header, Route
from codetether_adapters.mcp.discovery import CARD_TYPE, CATALOG_TYPE, Page, card_of, catalog_of
from codetether_adapters.mcp.served import Identity
from codetether_core.access import PUBLIC
from codetether_core.errors import NotFound

__all__ = ["CARD", "CATALOGS", "discovery_routes"]

CARD: Final = "/server-card"
"""Where an endpoint's card is, behind the endpoint's own path."""

CATALOGS: Final[Mapping[str, str]] = {
    "/.well-known/ai-catalog.json": CATALOG_TYPE,
    "/.well-known/mcp/catalog.json": "application/json",
}
"""Where the catalogue is, and as what: the second is where drafts before 2026-07-20 look for it."""

_HEADERS: Final = (Header("If-None-Match", "Tags of what the client has."),)


@frozen(kw_only=True)
class ServerCard:
    """A server card: who serves, and where. What there is only the protocol tells, to whom may know."""

    schema: str = field(metadata={"name": "$schema"})
    name: str
    title: str
    description: str
    version: str
    remotes: tuple[Mapping[str, Any], ...]


@frozen(kw_only=True)
class Catalog:
    """A catalogue: where cards are."""

    specVersion: str
    entries: tuple[Mapping[str, Any], ...]


def discovery_routes(identity: Identity, endpoints: tuple[str, ...], *, is_served: bool) -> tuple[Route, ...]:
    """The cards of the ``endpoints`` and a catalogue of the first one's; there are none of what is not served."""

    def card_at(path: str) -> Route:
        async def card(call: Call) -> Encoded:
            """Who serves MCP here, and which of its revisions. It is of a draft that may change."""
            if not is_served:
                raise NotFound("server_card", path)
            return _told(call, card_of(identity, f"{call.base_url}{path}"), CARD_TYPE)

        return _route(f"{path}{CARD}", card, "Who serves MCP (experimental)", ServerCard, CARD_TYPE, errors=(404,))

    def catalog_at(path: str, media_type: str) -> Route:
        async def catalog(call: Call) -> Encoded:
            """Where the card of MCP's endpoint is. It is of a draft that may change."""
            cards = [f"{call.base_url}{endpoints[0]}{CARD}"] if is_served else []
            return _told(call, catalog_of(identity, cards), media_type)

        return _route(path, catalog, "Where MCP is served (experimental)", Catalog, media_type)

    return (*map(card_at, endpoints), *(catalog_at(path, media_type) for path, media_type in CATALOGS.items()))


def _route(path: str, endpoint: Any, summary: str, answer: Any, media_type: str, errors: tuple[int, ...] = ()) -> Route:
    return Route(
        "GET",
        path,
        endpoint,
        PUBLIC,
        summary=summary,
        tag="mcp",
        headers=_HEADERS,
        answer=answer,
        media_type=media_type,
        also={304: None},
        errors=errors,
    )


def _told(call: Call, page: Page, media_type: str) -> Encoded:
    """What a client has already is not sent again."""
    if page.is_known(call.headers.get("if-none-match")):
        return Encoded(b"", 304, headers=page.headers)
    return Encoded(page.body, media_type=media_type.encode(), headers=page.headers)
