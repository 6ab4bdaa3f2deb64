"""A file's bytes as a part of an artifact: a JSON object of moderate size is told as data, anything else as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from codetether_adapters.a2a_wire.values import Data, Part, Raw
from codetether_core.artifacts import Artifact as File

__all__ = ["part_of"]

_MOST: Final = 64 * 1024
_DEEPEST: Final = 32
_EXACT: Final = 2**53
"""From here on some clients cannot tell a number from its neighbours."""


def part_of(file: File, raw: bytes) -> Part:
    """The part. What would not come out of every client as it went in is left in bytes."""
    data = _object(file, raw)
    content = Raw(raw) if data is None else Data(data)
    return Part(content=content, media_type=file.media_type, filename=file.name)


def _object(file: File, raw: bytes) -> Mapping[str, Any] | None:
    if len(raw) > _MOST or file.media_type.partition(";")[0].strip().lower() != "application/json":
        return None
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) and _is_plain(value, _DEEPEST) else None


def _is_plain(value: Any, levels: int) -> bool:
    """Whether it has no numbers but those that everybody reads alike, and no more levels than these."""
    match value:
        case dict() | list():
            inner = value.values() if isinstance(value, dict) else value
            return levels > 0 and all(_is_plain(each, levels - 1) for each in inner)
        case int() | float():
            return abs(value) < _EXACT
    return True
