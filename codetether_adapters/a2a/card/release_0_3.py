"""What release 0.3 wants to read besides: cards cannot be asked for by release, so that one card has to do for both.

The members of release 1.0 stay as they are. Clients of that release take a security scheme with a ``type`` for an old
one and read the members beside it alone; so those say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from codetether_adapters.a2a.card.profile import SchemeKind

__all__ = ["with_release_0_3"]

_RELEASE: Final = "0.3"


def with_release_0_3(card: Mapping[str, Any]) -> dict[str, Any]:
    """The union of a card of release 1.0 and the same in the words of 0.3."""
    first, *_ = interfaces = [
        each for each in card["supportedInterfaces"] if each["protocolVersion"] == _RELEASE
    ] or card["supportedInterfaces"]
    told = {
        **card,
        "protocolVersion": f"{_RELEASE}.0",
        "url": first["url"],
        "preferredTransport": first["protocolBinding"],
        "additionalInterfaces": [{"url": each["url"], "transport": each["protocolBinding"]} for each in interfaces],
        "supportsAuthenticatedExtendedCard": card["capabilities"]["extendedAgentCard"],
    }
    if "securitySchemes" in card:
        told["securitySchemes"] = {name: _typed(scheme) for name, scheme in card["securitySchemes"].items()}
        told["security"] = [
            {name: [*scopes["list"]] for name, scopes in each["schemes"].items()}
            for each in card["securityRequirements"]
        ]
    return told


def _typed(scheme: Mapping[str, Any]) -> dict[str, Any]:
    kind = next(kind for kind in SchemeKind if kind.member in scheme)
    return {"type": kind.type, **scheme[kind.member], **scheme}
