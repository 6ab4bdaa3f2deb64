"""Values as the server keeps them: documents as JSON, moments and ranks as text that sorts as they do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import orjson

from codetether_adapters.tail import encode
from codetether_core.codec import dump, load
from codetether_core.tasks import Task

__all__ = [
    "MOMENT_BYTES",
    "RANK_BYTES",
    "decoded",
    "document",
    "microseconds",
    "moment",
    "plain",
    "rank",
    "sortable",
    "unsorted",
]

T = TypeVar("T")

MOMENT_BYTES: Final = 16
"""The length of ``sortable``."""

RANK_BYTES: Final = 24
"""The length of ``rank``."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MOST: Final = 2**31 - 1
_MIDDLE: Final = 2**62


def microseconds(moment: datetime) -> int:
    """Since 1970; exact, and ordered as the moments are."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """What ``microseconds`` was made of."""
    return _EPOCH + timedelta(microseconds=microseconds)


def sortable(moment: datetime) -> str:
    """A moment as text that sorts as the moments do, those before 1970 included."""
    return f"{microseconds(moment) + _MIDDLE:016x}"


def unsorted(text: bytes) -> datetime:
    """What ``sortable`` was made of."""
    return moment(int(text, 16) - _MIDDLE)


def rank(task: Task) -> str:
    """Text that sorts tasks: priority, highest first, then creation."""
    return f"{_MOST - task.spec.priority:08x}{sortable(task.created_at)}"


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
