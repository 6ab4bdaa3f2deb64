"""Values as columns: documents as JSON, moments as integer microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import orjson

from codetether_adapters.tail import encode
from codetether_core.codec import dump, load

__all__ = ["decoded", "document", "microseconds", "moment", "plain"]

T = TypeVar("T")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Since 1970; exact, and ordered as the moments are."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """What ``microseconds`` was made of."""
    return _EPOCH + timedelta(microseconds=microseconds)


def document(value: object) -> bytes:
    """A value as JSON."""
    return encode(dump(value))


def decoded(type: type[T], body: bytes) -> T:
    """The value that ``document`` wrote."""
    return load(type, plain(body))


def plain(body: bytes) -> Any:
    """The JSON that ``encode`` wrote; the standard library reads the little that orjson refuses."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _read_slowly(body)


def _read_slowly(body: bytes) -> Any:
    import json

    return json.loads(body)
