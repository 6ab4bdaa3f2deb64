"""The public card, and the keys by which its signatures are checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from codetether_adapters.a2a.card import Cards
from codetether_adapters.a2a.card.publishing import MAX_AGE
from codetether_adapters.a2a.card.signing import KEYS_PATH
from codetether_adapters.http import Call, Encoded, Header, Route, encode_json
from codetether_core.access import PUBLIC

__all__ = ["card_routes"]

_PLACES: Final = {
    "/.well-known/agent-card.json": "Who we are (A2A)",
    "/.well-known/agent.json": "Who we are (A2A), where clients of old releases look",
}
_HEADERS: Final = (
    Header("If-None-Match", "Tags of the cards that the client has."),
    Header("If-Modified-Since", "When the card that the client has was last changed, if it knows no tag."),
)


@frozen(kw_only=True)
class AgentCard:
    """An agent card of release 1.0, and, unless it is to be pure, what release 0.3 reads of it besides."""

    name: str
    description: str
    version: str
    supportedInterfaces: tuple[Mapping[str, Any], ...]
    capabilities: Mapping[str, Any]
    securitySchemes: Mapping[str, Any] = {}
    securityRequirements: tuple[Mapping[str, Any], ...] = ()
    defaultInputModes: tuple[str, ...]
    defaultOutputModes: tuple[str, ...]
    skills: tuple[Mapping[str, Any], ...]
    signatures: tuple[Mapping[str, Any], ...] = ()
    protocolVersion: str = ""
    url: str = ""
    preferredTransport: str = ""
    additionalInterfaces: tuple[Mapping[str, Any], ...] = ()
    supportsAuthenticatedExtendedCard: bool = False
    security: tuple[Mapping[str, Any], ...] = ()


@frozen(kw_only=True)
class JwkSet:
    """Public keys (RFC 7517)."""

    keys: tuple[Mapping[str, Any], ...]


def card_routes(cards: Cards) -> tuple[Route, ...]:
    """For everybody: one has to find out how to sign in before one can."""

    async def card(call: Call) -> Encoded:
        """What a client has already is not sent again."""
        page, headers = cards.public(call.base_url), call.headers
        if page.is_known(headers.get("if-none-match"), headers.get("if-modified-since")):
            return Encoded(b"", 304, headers=page.headers)
        return Encoded(page.body, headers=page.headers)

    async def keys(call: Call) -> Encoded:
        """Of each that signs the card; one that no longer does is not among them."""
        fresh = (b"cache-control", b"public, max-age=%d" % MAX_AGE)
        return Encoded(encode_json(cards.keys()), media_type=b"application/jwk-set+json", headers=[fresh])

    return (
        *(
            Route(
                "GET",
                path,
                card,
                PUBLIC,
                summary=summary,
                tag="a2a",
                headers=_HEADERS,
                answer=AgentCard,
                also={304: None},
            )
            for path, summary in _PLACES.items()
        ),
        Route(
            "GET",
            KEYS_PATH,
            keys,
            PUBLIC,
            summary="The keys that sign the agent card",
            tag="a2a",
            answer=JwkSet,
            media_type="application/jwk-set+json",
        ),
    )
