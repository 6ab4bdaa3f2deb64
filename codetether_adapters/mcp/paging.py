"""Pages of lists: as many rows as are wanted and fit, and a cursor, opaque to clients, to what follows."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any, Final, TypeVar

from codetether_adapters.mcp.arguments import require_keepable
from codetether_adapters.mcp.encoding import encode
from codetether_core.errors import Invalid

__all__ = ["cursor_of", "gather", "offset_in", "place_in", "sorted_page"]

R = TypeVar("R")
V = TypeVar("V")

_BYTES: Final = 40_000
"""Of a page as JSON: what more it would have, a model had better ask for."""

_FIELD: Final = "cursor"
_MOST: Final = 10_000_000


def cursor_of(place: Any) -> str:
    """A place, which is JSON, as a cursor."""
    return urlsafe_b64encode(encode(place)).decode().rstrip("=")


def place_in(cursor: str | None) -> Any:
    """The place, ``None`` for the beginning; ``Invalid`` for a cursor that nobody was given."""
    if cursor is None:
        return None
    try:
        place = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        require_keepable(_FIELD, place)
    except (ValueError, RecursionError, Invalid):
        raise _unknown() from None
    return place


def offset_in(cursor: str | None) -> int:
    """The place in a list whose rows are counted."""
    place = place_in(cursor)
    if place is None:
        return 0
    if type(place) is not int or not 0 <= place <= _MOST:
        raise _unknown()
    return place


async def gather(rows: AsyncIterable[tuple[R, Any]], limit: int) -> tuple[tuple[R, ...], str | None]:
    """The rows of a page, each told with the place behind it, and the cursor to the next page if there is one."""
    taken: list[R] = []
    size, behind = 0, None
    async for row, place in rows:
        weight = len(encode(row))
        if taken and (len(taken) == limit or size + weight > _BYTES):
            return tuple(taken), cursor_of(behind)
        taken.append(row)
        size, behind = size + weight, place
    return tuple(taken), None


async def sorted_page(
    values: Iterable[V], key: Callable[[V], tuple[str, ...]], row: Callable[[V], R], limit: int, cursor: str | None
) -> tuple[tuple[R, ...], str | None]:
    """A page of values that are all there, in the order of their keys."""
    after = place_in(cursor)
    if after is not None and not (isinstance(after, list) and all(isinstance(each, str) for each in after)):
        raise _unknown()
    start = tuple(after or ())

    async def following() -> AsyncIterable[tuple[R, Any]]:
        for value in sorted(values, key=key):
            if key(value) > start:
                yield row(value), key(value)

    return await gather(following(), limit)


def _unknown() -> Invalid:
    return Invalid(_FIELD, "is not one that this server gave", hint="leave it out to begin at the beginning")
