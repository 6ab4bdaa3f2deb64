"""How a blob is laid out that is encrypted: a head, then pieces, of which all but the last are of one size."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing
from typing import Final

from codetether_core.artifacts import blocks

__all__ = ["HEAD", "LAST", "MARK", "MORE", "PIECE", "SEALED", "clear_size", "cut", "head_of", "number_in", "regrouped"]

MARK: Final = b"\0ctblob\1"
"""What every one begins with."""

_NUMBER: Final = 4

HEAD: Final = len(MARK) + _NUMBER
"""Bytes of a head: the mark, and the number of the data key; 0 says that the rest is in clear."""

PIECE: Final = 64 * 1024
"""Clear bytes of a piece."""

_MORE: Final = 1 + 16
SEALED: Final = PIECE + _MORE
"""Bytes of a whole piece: whether it is the last, and a tag, besides."""

MORE: Final = b"\0"
LAST: Final = b"\1"


def head_of(number: int) -> bytes:
    """The head of a blob under that data key."""
    return MARK + number.to_bytes(_NUMBER)


def number_in(start: bytes) -> int | None:
    """The number in the head that a blob starts with; ``None`` if it has none and is all clear."""
    return int.from_bytes(start[len(MARK) : HEAD]) if start.startswith(MARK) and len(start) >= HEAD else None


def clear_size(size: int) -> int:
    """How many clear bytes there are in so many of an encrypted blob."""
    pieces = -(-(size - HEAD) // SEALED)
    return max(size - HEAD - pieces * _MORE, 0)


async def cut(data: bytes | AsyncIterable[bytes]) -> AsyncGenerator[tuple[bytes, bool], None]:
    """The data in pieces, one at least, and of each whether it is the last."""
    waiting = b""
    async with aclosing(blocks(data)) as found, aclosing(regrouped(found, PIECE)) as pieces:
        async for piece in pieces:
            if waiting:
                yield waiting, False
            waiting = piece
    yield waiting, True


async def regrouped(chunks: AsyncIterator[bytes], size: int) -> AsyncGenerator[bytes, None]:
    """The same bytes in groups of that size; the last may be smaller, none is empty."""
    waiting = b""
    async for chunk in chunks:
        waiting += chunk
        whole = len(waiting) - len(waiting) % size
        for first in range(0, whole, size):
            yield waiting[first : first + size]
        waiting = waiting[whole:]
    if waiting:
        yield waiting
