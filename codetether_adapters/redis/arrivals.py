"""In which order this process saw the records of several shards; with one shard there is nothing to remember."""

from __future__ import annotations

from codetether_adapters.redis.positions import Vector, pack

__all__ = ["Arrivals"]


class Arrivals:
    """The position that each recent record was given, by its shard and its place there."""

    def __init__(self, heads: Vector) -> None:
        self._heads = [*heads]
        self._bases = [head + 1 for head in heads]
        self._positions: list[list[int]] = [[] for _ in heads]

    def arrive(self, shard: int, place: int) -> int:
        """The position of the next record; ``place`` comes after the shard's last one."""
        self._heads[shard] = place
        position = pack(tuple(self._heads))
        if len(self._heads) > 1:
            if place != self._bases[shard] + len(self._positions[shard]):
                self._bases[shard] = place
                self._positions[shard].clear()
            self._positions[shard].append(position)
        return position

    def position(self, shard: int, place: int) -> int | None:
        """What that record was given, if it is remembered."""
        index = place - self._bases[shard]
        positions = self._positions[shard]
        return positions[index] if 0 <= index < len(positions) else None

    def knows(self, vector: Vector, position: int) -> bool:
        """Whether this very position was given to a record."""
        return any(self.position(shard, place) == position for shard, place in enumerate(vector))

    def forget(self, floor: Vector) -> None:
        """Let go of what lies before, now and then."""
        for shard, place in enumerate(floor):
            gone = place + 1 - self._bases[shard]
            if gone > len(self._positions[shard]) // 2 + 64:
                del self._positions[shard][:gone]
                self._bases[shard] += gone
