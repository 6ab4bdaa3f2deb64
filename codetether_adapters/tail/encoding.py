"""JSON as the log and the stores keep it: UTF-8 on one line, encoded once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TypeAlias

import orjson

from codetether_core.codec import dump
from codetether_core.errors import Invalid
from codetether_core.events import Event

__all__ = ["Entry", "encode", "encoded", "needle"]

Entry: TypeAlias = tuple[Event, bytes]
"""An event on its way into the log, and its body."""


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
    """Agents print JSON that orjson reads and will not write: lone surrogates, integers of more than 64 bits."""
    try:
        return json.dumps(value, default=dump, separators=(",", ":"), allow_nan=False).encode()
    except (RecursionError, TypeError, ValueError) as error:
        raise Invalid("", f"cannot be written as JSON: {error}") from None
