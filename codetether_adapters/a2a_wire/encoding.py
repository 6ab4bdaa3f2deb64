"""JSON to bytes."""

from __future__ import annotations

import json
from typing import Any

import orjson

__all__ = ["encode"]


def encode(value: Any) -> bytes:
    """JSON of plain values, once more slowly where an agent printed what UTF-8 or 64 bits cannot hold."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()
