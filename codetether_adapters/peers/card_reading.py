"""A card to what matters of it: where an agent is spoken to, in which release, and how it is told who asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import evolve, frozen

from codetether_adapters.a2a_wire import IDEMPOTENCY
from codetether_adapters.peers.places import place_in
from codetether_core.access import given_url
from codetether_core.errors import Invalid
from codetether_core.ports import AgentCard

__all__ = ["card_of"]

_BINDING: Final = "JSONRPC"
_LONGEST: Final = 1000
_OURS: Final = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "content-type", "host", "transfer-encoding"}
)
_HINT: Final = "it has to speak JSON-RPC, of release 1.0 or 0.3"


@frozen
class _Interface:
    url: str
    dialect: str
    tenant: str = ""


@frozen
class _Way:
    header: str
    prefix: str


def card_of(told: Mapping[str, Any], *, signed: bool) -> AgentCard:
    """What the card comes to; ``Invalid`` if it names no place where we can speak to the agent."""
    usable = [kept for each in _interfaces(told) if (kept := _usable(each)) is not None]
    found = {each.dialect: each for each in reversed(usable)}
    interface = found.get("1.0") or found.get("0.3")
    if interface is None:
        raise Invalid("card_url", "leads to a card of an agent that we cannot speak to", hint=_HINT, code="card_unfit")
    capabilities = _object(told, "capabilities")
    way = _way(told) or _Way("Authorization", "Bearer ")
    return AgentCard(
        name=_text(told, "name"),
        description=_text(told, "description"),
        url=interface.url,
        dialect=interface.dialect,
        tenant=interface.tenant,
        streams=capabilities.get("streaming") is True,
        idempotent=any(each.get("uri") == IDEMPOTENCY for each in _objects(capabilities, "extensions")),
        signed=signed,
        header=way.header,
        prefix=way.prefix,
        asks_who=_asks_who(told),
    )


def _usable(interface: _Interface) -> _Interface | None:
    """It, its URL as URLs are kept; ``None`` if it is none, or longer than anybody's: what is cut leads elsewhere."""
    if place_in(interface.url) is None or max(len(interface.url), len(interface.tenant)) > _LONGEST:
        return None
    try:
        return evolve(interface, url=given_url("card_url", interface.url))
    except Invalid:
        return None


def _interfaces(told: Mapping[str, Any]) -> Iterator[_Interface]:
    """Those that we can use, the preferred one first."""
    for each in _objects(told, "supportedInterfaces"):
        if _text(each, "protocolBinding").upper() == _BINDING and (release := _release(_text(each, "protocolVersion"))):
            yield _Interface(_word(each, "url"), release, _word(each, "tenant"))
    if _release(_text(told, "protocolVersion") or "0.3") == "0.3" and (url := _word(told, "url")):
        others = ((_word(each, "url"), each.get("transport")) for each in _objects(told, "additionalInterfaces"))
        for place, transport in [(url, told.get("preferredTransport", _BINDING)), *others]:
            if str(transport).upper() == _BINDING and place:
                yield _Interface(place, "0.3")


def _release(version: str) -> str:
    """The release that a version is of, as far as we speak it; patches change nothing on the wire."""
    release = ".".join(version.split(".")[:2])
    return release if release in ("1.0", "0.3") else ""


def _way(told: Mapping[str, Any]) -> _Way | None:
    """The first way to tell who asks that is a header: of those that are required, or else of all."""
    schemes = {name: each for name, each in _object(told, "securitySchemes").items() if isinstance(each, Mapping)}
    wanted = [name for required in _requirements(told) if len(required) == 1 for name in required]
    for name in (*wanted, *schemes):
        if name in schemes and (way := _header(schemes[name])) is not None:
            return way
    return None


def _header(scheme: Mapping[str, Any]) -> _Way | None:
    """Either release's words for it."""
    api_key = _object(scheme, "apiKeySecurityScheme") or (scheme if scheme.get("type") == "apiKey" else {})
    http = _object(scheme, "httpAuthSecurityScheme") or (scheme if scheme.get("type") == "http" else {})
    if api_key:
        name, where = _text(api_key, "name"), api_key.get("location", api_key.get("in"))
        return _Way(name, "") if where == "header" and _is_free(name) else None
    if http:
        kind = _text(http, "scheme").capitalize()
        return _Way("Authorization", f"{kind} ") if kind in ("Bearer", "Basic") else None
    tokens = ("oauth2SecurityScheme", "openIdConnectSecurityScheme")
    if any(each in scheme for each in tokens) or scheme.get("type") in ("oauth2", "openIdConnect"):
        return _Way("Authorization", "Bearer ")
    return None


def _is_free(header: str) -> bool:
    """Whether it is a header whose value may be anything: no part of how requests are made."""
    return header.isascii() and header.replace("-", "").isalnum() and header.lower() not in _OURS


def _asks_who(told: Mapping[str, Any]) -> bool:
    """Whether nobody gets by without: an empty requirement would be one that everybody meets."""
    requirements = [*_requirements(told)]
    return bool(requirements) and all(requirements)


def _requirements(told: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    for each in _objects(told, "securityRequirements"):
        yield [*_object(each, "schemes")]
    if "securityRequirements" not in told:
        for each in _objects(told, "security"):
            yield [*each]


def _text(told: Mapping[str, Any], name: str) -> str:
    return _word(told, name)[:_LONGEST]


def _word(told: Mapping[str, Any], name: str) -> str:
    """All of it."""
    value = told.get(name)
    return value if isinstance(value, str) else ""


def _object(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = told.get(name)
    return value if isinstance(value, Mapping) else {}


def _objects(told: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = told.get(name)
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
