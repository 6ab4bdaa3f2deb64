"""Values as columns: documents as JSON, moments as integer microseconds, and text that PostgreSQL can hold."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import orjson

from codetether_adapters.tail import encode
from codetether_core.codec import dump, load

__all__ = ["decoded", "document", "microseconds", "moment", "plain", "storable"]

T = TypeVar("T")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


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


def storable(value: Any) -> Any:
    """The value as a parameter: what a column of text cannot hold (NUL, lone surrogates) is looked for as U+FFFD.

    Only keys and what is searched are text; the documents keep what was said.
    """
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [storable(member) for member in value]
    return value


def _read_slowly(body: bytes) -> Any:
    import json

    return json.loads(body)
