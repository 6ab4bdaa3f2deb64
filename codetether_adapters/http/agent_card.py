"""The agent card (A2A), by which other agents find out who we are and how to sign in.

It has what release 0.3 of the protocol and release 1.0 require. Interfaces are those that exist: where the binding is,
whoever puts the application together knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.access import PUBLIC

__all__ = ["AgentCard", "Interface", "card_route"]

_TEXT: Final = "text/plain"
_OLD: Final = "0.3"
_BEARER: Final = {"type": "http", "scheme": "bearer"}


@frozen
class Interface:
    """The protocol at a path, in one of its bindings and releases."""

    path: str
    binding: str
    version: str


@frozen(kw_only=True)
class AgentCard:
    """Who we are. ``supportedInterfaces`` has where A2A is spoken, ``url`` where release 0.3 is, else we."""

    protocolVersion: str
    name: str
    description: str
    url: str
    version: str
    preferredTransport: str
    additionalInterfaces: tuple[Mapping[str, Any], ...]
    supportedInterfaces: tuple[Mapping[str, Any], ...]
    capabilities: Mapping[str, Any]
    defaultInputModes: tuple[str, ...]
    defaultOutputModes: tuple[str, ...]
    skills: tuple[Mapping[str, Any], ...]
    securitySchemes: Mapping[str, Any]
    security: tuple[Mapping[str, Any], ...]
    securityRequirements: tuple[Mapping[str, Any], ...]


def card_route(
    *, version: str, public_url: str = "", base_path: str = "", interfaces: Sequence[Interface] = ()
) -> Route:
    """The card's route. Without a public URL the card names the address that it was asked at."""

    async def card(call: Call) -> Response:
        here = (public_url or _asked_at(call, base_path)).rstrip("/")
        old = [f"{here}{each.path}" for each in interfaces if each.version == _OLD]
        return Json(
            AgentCard(
                protocolVersion="0.3.0",
                name="CodeTether",
                description="A self-hosted control plane for AI coding agents.",
                url=old[0] if old else here,
                version=version,
                preferredTransport="JSONRPC",
                additionalInterfaces=tuple({"url": url, "transport": "JSONRPC"} for url in old),
                supportedInterfaces=tuple(
                    {
                        "url": f"{here}{each.path}",
                        "protocolBinding": each.binding,
                        "protocolVersion": each.version,
                    }
                    for each in interfaces
                ),
                capabilities={"streaming": bool(interfaces), "pushNotifications": False},
                defaultInputModes=(_TEXT,),
                defaultOutputModes=(_TEXT,),
                skills=(),
                securitySchemes={"bearer": _BEARER | {"httpAuthSecurityScheme": {"scheme": "bearer"}}},
                security=({"bearer": []},),
                securityRequirements=({"schemes": {"bearer": {"list": []}}},),
            )
        )

    path = "/.well-known/agent-card.json"
    return Route("GET", path, card, PUBLIC, summary="Who we are (A2A)", tag="a2a", answer=AgentCard)


def _asked_at(call: Call, base_path: str) -> str:
    """Where the request says that we are."""
    host = call.headers.get("host") or "localhost"
    below = (base_path or call.scope.get("root_path", "")).rstrip("/")
    return f"{call.scope.get('scheme', 'http')}://{host}{below}"
