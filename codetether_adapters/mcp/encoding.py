"""JSON of results: compact, and the same wherever it stands."""

from __future__ import annotations

import json

import orjson

from codetether_core import codec

__all__ = ["encode"]


def encode(value: object) -> bytes:
    """JSON of plain values and of the domain's."""
    try:
        return orjson.dumps(value, default=codec.dump, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError:  # lone surrogates and integers of more than 64 bits, which agents print
        return json.dumps(value, default=codec.dump, separators=(",", ":")).encode()
