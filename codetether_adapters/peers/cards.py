"""Fetching a card, and checking its signature (the port ``AgentCards``)."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any, Final, TypeAlias

import httpx
import orjson
from attrs import evolve, frozen

from codetether_adapters.peers.card_reading import card_of
from codetether_adapters.peers.places import place_in, site_of
from codetether_adapters.peers.signed_part import signed_part
from codetether_core.errors import Invalid, Unavailable
from codetether_core.ports import AgentCard

__all__ = ["Cards", "IsSigned"]

IsSigned: TypeAlias = Callable[[bytes, Mapping[str, Any], Mapping[str, Any]], bool]
"""Whether a payload has a signature by one of these keys (a JWK set)."""

_WELL_KNOWN: Final = "/.well-known/agent-card.json"
_MOST_BYTES: Final = 1024 * 1024
_MOST_SIGNATURES: Final = 8
_PATIENCE: Final = 10.0
_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity", "A2A-Version": "1.0"}
_FIELD: Final = "card_url"
_HINT: Final = "have it signed anew, or give the keys (card_keys) by which it is signed"


@frozen
class Cards:
    """Asks over this transport; ``is_signed`` knows signatures."""

    transport: httpx.AsyncBaseTransport
    is_signed: IsSigned

    async def read(self, url: str, keys: Mapping[str, Any] | None = None) -> AgentCard:
        """The keys of a signature may come from where the card is, and from nowhere else."""
        place = _place(url)
        card = await self._object(place)
        signatures = card.get("signatures") or []
        if not signatures and keys is None:
            return _placed(card_of(card, signed=False), place)
        for signature in signatures[:_MOST_SIGNATURES] if isinstance(signatures, list) else ():
            if not isinstance(signature, Mapping):
                continue
            known = keys if keys is not None else await self._keys(place, signature)
            part = signed_part(card, lambda payload: self.is_signed(payload, signature, known or {}))  # noqa: B023
            if part is not None:
                return _placed(card_of(part, signed=True), place)
        problem = "leads to a card whose signature is not good" if signatures else "leads to a card that is not signed"
        raise Invalid(_FIELD, problem, hint=_HINT, code="card_signature_invalid")

    async def _keys(self, card: httpx.URL, signature: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Those that the signature says it was made by one of, if they are kept beside the card."""
        place = place_in(_told(signature).get("jku"))
        if place is None or site_of(place) != site_of(card):
            return None
        return await self._object(place)

    async def _object(self, url: httpx.URL) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(_PATIENCE):
                body = await self._got(url)
        except Invalid as error:
            raise Invalid(_FIELD, error.problem, hint=error.hint, code=error.code) from None
        except (httpx.HTTPError, TimeoutError) as error:
            raise Unavailable(f"{url} cannot be had: {error or type(error).__name__}") from None
        try:
            told = orjson.loads(body)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise Invalid(_FIELD, f"leads to what is no JSON object: {url}", code="card_unfit")
        return told

    async def _got(self, url: httpx.URL) -> bytes:
        request = httpx.Request("GET", url, headers=_HEADERS)
        answer = await self.transport.handle_async_request(request)
        async with aclosing(answer):
            if answer.status_code != httpx.codes.OK:
                raise Invalid(_FIELD, f"leads to no card: {url} answers with status {answer.status_code}")
            body = bytearray()
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise Invalid(_FIELD, f"leads to more than {_MOST_BYTES:,} bytes: {url}", code="card_unfit")
        return bytes(body)


def _place(url: str) -> httpx.URL:
    place = place_in(url)
    if place is None:
        raise Invalid(_FIELD, "must be a URL of http or https")
    return place.copy_with(path=_WELL_KNOWN) if place.path in ("", "/") and not place.query else place


def _placed(card: AgentCard, place: httpx.URL) -> AgentCard:
    """Where it was found says how far it is to be believed."""
    agent = httpx.URL(card.url)
    if place.scheme == "https" and agent.scheme != "https":
        raise Invalid(_FIELD, "leads to an agent that is spoken to without TLS", code="card_unfit")
    return evolve(card, beside=site_of(agent) == site_of(place))


def _told(signature: Mapping[str, Any]) -> Mapping[str, Any]:
    """The signature's protected header; nothing for what is none."""
    text = signature.get("protected")
    try:
        header = orjson.loads(urlsafe_b64decode(f"{text}{'=' * (-len(str(text)) % 4)}"))
    except ValueError:
        return {}
    return header if isinstance(header, dict) else {}
