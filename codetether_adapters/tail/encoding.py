"""JSON as the log and the stores keep it: UTF-8 on one line, encoded once, and readable by every parser.

Agents print what orjson reads and will not write. It is stored as what comes closest: a lone surrogate as U+FFFD, an
integer of more than 64 bits as text; NaN and the infinities are ``null``. Nothing that reads the log need be careful.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

import orjson

from codetether_core.codec import dump
from codetether_core.errors import Invalid
from codetether_core.events import Event

__all__ = ["Entry", "encode", "encoded", "needle"]

Entry: TypeAlias = tuple[Event, bytes]
"""An event on its way into the log, and its body."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def encode(value: Any) -> bytes:
    """Plain data, and moments as the codec writes them, as JSON; ``Invalid`` for what JSON has no word for."""
    try:
        return orjson.dumps(value, default=dump, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError:
        return _encode_slowly(value)


def encoded(events: Iterable[Event]) -> list[Entry]:
    """The events with their bodies; done before a transaction begins, so that nothing can fail half-way.

    What orjson returns sits in the 4 KiB that it began with; a copy that will be kept takes what it needs.
    """
    return [(event, bytes(memoryview(encode(event.data)))) for event in events]


def needle(text: str) -> bytes:
    """What to look for in a body to find ``text``: as JSON writes it, in lower case as far as that is ASCII."""
    return encode(text)[1:-1].lower()


def _encode_slowly(value: Any) -> bytes:
    try:
        return orjson.dumps(_writable(value), option=orjson.OPT_NON_STR_KEYS)
    except (RecursionError, TypeError, ValueError) as error:
        raise Invalid("", f"cannot be written as JSON: {error}") from None


def _writable(value: Any) -> Any:
    """The value in what orjson writes."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else _decimal(value)
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, Mapping):
        return {_writable(name): _writable(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(member) for member in value]
    plain = dump(value)
    if type(plain) is type(value):
        raise TypeError(f"Type is not JSON serializable: {type(value).__name__}")
    return _writable(plain)


def _decimal(value: int) -> str:
    """Its digits; in hexadecimal if there are so many that Python does not count them."""
    try:
        return str(value)
    except ValueError:
        return hex(value)
