"""Arguments as they go out; one that cannot is refused by its name before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from codetether_core import codec
from codetether_core.errors import Invalid

__all__ = ["encoded", "encoded_headers", "header_value", "json_of"]

_BLANK: Final = 0x20
_DELETE: Final = 0x7F


def encoded(name: str, value: str) -> bytes:
    """The text as UTF-8."""
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise Invalid(name, "has half of a surrogate pair, which is no text") from None


def encoded_headers(headers: Mapping[str, str | None]) -> dict[bytes, bytes]:
    """The headers without those that are ``None``; one that cannot be sent is named as arguments are."""
    return {
        name.encode(): header_value(name.removeprefix("x-").replace("-", "_"), value)
        for name, value in headers.items()
        if value is not None
    }


def header_value(name: str, value: str) -> bytes:
    """The value in UTF-8; one that no header can have is refused and not repeated, for it may be secret."""
    data = encoded(name, value)
    if any(byte < _BLANK or byte == _DELETE for byte in data):
        raise Invalid(name, "must not have line breaks or other control characters")
    if data != data.strip():
        raise Invalid(name, "must not begin or end with a blank")
    return data


def json_of(members: Mapping[str, Any]) -> bytes:
    """A JSON object of those members that are not ``None``."""
    told = {name: value for name, value in members.items() if value is not None}
    try:
        return orjson.dumps(codec.dump(told))
    except (TypeError, RecursionError) as error:
        raise _unsayable(told) or error from None


def _unsayable(members: Mapping[str, Any]) -> Invalid | None:
    """What is wrong with the member that JSON cannot hold."""
    for name, value in members.items():
        try:
            orjson.dumps(codec.dump(value))
        except (TypeError, RecursionError) as error:
            return Invalid(name, f"cannot be sent as JSON: {error}")
    return None
