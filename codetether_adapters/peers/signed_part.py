"""What a card's signature vouches for.

Whoever signs a card writes it in one of a few ways before: the members of release 1.0 alone, as both official kits do,
or all of it as it is, as the text of either release has it; what is empty is left out, or is not. What is signed by one
of them is all that counts of the card: anybody may have put the rest in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import rfc8785
from attrs import frozen

__all__ = ["Signed", "signed_part"]

Signed: TypeAlias = Callable[[bytes], bool]
"""Whether a good signature is on the bytes."""


@frozen
class _Any:
    """Anything that stands there."""


@frozen
class _Each:
    """An object whose members, whatever their names, are such ones."""

    member: Any


@frozen
class _Unless:
    """Anything but this, which goes without saying."""

    implied: Any


_ANY: Final = _Any()
_FALSE: Final = _Unless(False)
_FLOW: Final = {"authorizationUrl": _ANY, "tokenUrl": _ANY, "refreshUrl": _ANY, "scopes": _ANY}
_FLOWS: Final = {
    "authorizationCode": {**_FLOW, "pkceRequired": _FALSE},
    "clientCredentials": _FLOW,
    "deviceCode": {**_FLOW, "deviceAuthorizationUrl": _ANY},
    "implicit": _FLOW,
    "password": _FLOW,
}
_SCHEME: Final = {
    "apiKeySecurityScheme": {"description": _ANY, "location": _ANY, "name": _ANY},
    "httpAuthSecurityScheme": {"description": _ANY, "scheme": _ANY, "bearerFormat": _ANY},
    "oauth2SecurityScheme": {"description": _ANY, "flows": _FLOWS, "oauth2MetadataUrl": _ANY},
    "openIdConnectSecurityScheme": {"description": _ANY, "openIdConnectUrl": _ANY},
    "mtlsSecurityScheme": {"description": _ANY},
}
_REQUIREMENTS: Final = [{"schemes": _Each({"list": _ANY})}]
_CARD: Final[Mapping[str, Any]] = {
    "name": _ANY,
    "description": _ANY,
    "version": _ANY,
    "documentationUrl": _ANY,
    "iconUrl": _ANY,
    "provider": {"organization": _ANY, "url": _ANY},
    "supportedInterfaces": [{"url": _ANY, "protocolBinding": _ANY, "protocolVersion": _ANY, "tenant": _ANY}],
    "capabilities": {
        "streaming": _ANY,
        "pushNotifications": _ANY,
        "extendedAgentCard": _ANY,
        "extensions": [{"uri": _ANY, "description": _ANY, "required": _FALSE, "params": _ANY}],
    },
    "securitySchemes": _Each(_SCHEME),
    "securityRequirements": _REQUIREMENTS,
    "defaultInputModes": _ANY,
    "defaultOutputModes": _ANY,
    "skills": [
        {
            "id": _ANY,
            "name": _ANY,
            "description": _ANY,
            "tags": _ANY,
            "examples": _ANY,
            "inputModes": _ANY,
            "outputModes": _ANY,
            "securityRequirements": _REQUIREMENTS,
        }
    ],
}


def signed_part(card: Mapping[str, Any], signed: Signed) -> Mapping[str, Any] | None:
    """As much of the card as is signed; ``None`` if nothing is, or it is nested deeper than any card."""
    try:
        for part in _ways(card):
            try:
                payload = rfc8785.dumps(part)
            except rfc8785.CanonicalizationError:  # numbers that no two programs write the same
                continue
            if signed(payload):
                return part
    except RecursionError:
        return None
    return None


def _ways(card: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    whole = {name: member for name, member in card.items() if name != "signatures"}
    release_1_0 = _within(whole, _CARD)
    yield _without_empty(release_1_0)
    yield release_1_0
    yield whole
    yield _without_empty(whole)


def _within(value: Any, known: Any) -> Any:
    """The value without what release 1.0 does not know."""
    match known, value:
        case _Each(member), Mapping():
            return {name: _within(each, member) for name, each in value.items()}
        case Mapping(), Mapping():
            return {
                name: _within(each, known[name])
                for name, each in value.items()
                if name in known and not (isinstance(known[name], _Unless) and each is known[name].implied)
            }
        case [one], Sequence() if not isinstance(value, str):
            return [_within(each, one) for each in value]
    return value


def _without_empty(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: kept for name, each in value.items() if not _is_empty(kept := _without_empty(each))}
    if isinstance(value, list):
        return [kept for each in value if not _is_empty(kept := _without_empty(each))]
    return value


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | Mapping) and not value)
