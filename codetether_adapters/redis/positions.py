"""Positions of a log that is spread over shards: a vector of one position a shard, packed into one integer.

With one shard a position is that shard's. With more, 48 bits a shard lie below a leading one, so that vectors of
which one covers the other are ordered as integers; integers without that leading one are no vectors. The lowest 48
bits hold their sum: somebody who subtracts from a position, to look back from it, is thus found out and understood.
"""

from __future__ import annotations

from typing import Final, TypeAlias

__all__ = ["Vector", "covers", "is_place", "joined", "pack", "unpack"]

Vector: TypeAlias = tuple[int, ...]

_BITS: Final = 48
_MASK: Final = (1 << _BITS) - 1
_HALF: Final = 1 << _BITS - 1
"""Added to the sum, so that subtracting from it borrows from nobody."""


def pack(vector: Vector) -> int:
    """The vector as a position."""
    if len(vector) == 1:
        return vector[0]
    parts = (*vector, _checked(vector))
    return int.from_bytes(b"\x01" + b"".join(part.to_bytes(_BITS // 8) for part in parts))


def is_place(position: int, shards: int) -> bool:
    """Whether ``pack`` could have made it of so many shards."""
    return shards == 1 or position.bit_length() == _BITS * (shards + 1) + 1


def unpack(position: int, shards: int) -> Vector:
    """What ``pack`` made a position of; so far back in every shard as was subtracted from it.

    What is no position lies before everything if it is not positive, and else behind it, as does what was added to.
    """
    if shards == 1:
        return (position,)
    if not is_place(position, shards):
        return (0 if position <= 0 else _MASK,) * shards
    vector = tuple((position >> shift) & _MASK for shift in range(_BITS * shards, 0, -_BITS))
    back = (_checked(vector) - position) & _MASK
    if back >= _HALF:
        return (_MASK,) * shards
    return tuple(max(part - back, 0) for part in vector) if back else vector


def covers(vector: Vector, other: Vector) -> bool:
    """Whether it has seen everything that the other has."""
    return all(mine >= its for mine, its in zip(vector, other, strict=True))


def joined(vector: Vector, other: Vector) -> Vector:
    """The least vector that covers both."""
    return tuple(map(max, vector, other))


def _checked(vector: Vector) -> int:
    return (sum(vector) + _HALF) & _MASK
